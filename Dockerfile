# One image for the server and the watchdog.
FROM python:3.11-slim-bookworm AS build
WORKDIR /app
RUN python -m venv /venv
COPY requirements.txt ./
RUN /venv/bin/pip install --no-cache-dir --require-hashes -r requirements.txt
COPY pyproject.toml README.md ./
COPY wine_slo ./wine_slo
RUN /venv/bin/pip install --no-cache-dir --no-deps . && /venv/bin/python -m compileall -q /venv/lib

FROM python:3.11-slim-bookworm
LABEL org.opencontainers.image.title="wine-slo" \
      org.opencontainers.image.description="A wine-classifying service and the watchdog of its promises"
RUN useradd --uid 10001 --no-create-home app && install -d -o app /app/data
COPY --from=build /venv /venv
WORKDIR /app
COPY models ./models
COPY slo.yml ./
USER 10001
ENV PATH=/venv/bin:$PATH WINE_SLO_HOST=0.0.0.0 WINE_SLO_WATCHDOG_HOST=0.0.0.0
EXPOSE 8000 8001
CMD ["python", "-m", "wine_slo.server"]
