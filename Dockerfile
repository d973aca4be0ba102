# One image for the server and the watchdog; docker-compose.yml says which of them a container is.
FROM python:3.11-slim-bookworm AS build
WORKDIR /app
RUN python -m venv --without-pip /venv
COPY requirements.txt ./
RUN pip --python /venv/bin/python install --no-cache-dir --no-compile --require-hashes -r requirements.txt
COPY pyproject.toml README.md ./
COPY wine_slo ./wine_slo
# Tests of libraries are a tenth of the image. Compiled by hash: the root is read-only, and files are not looked at twice.
RUN pip --python /venv/bin/python install --no-cache-dir --no-compile --no-deps . \
    && find /venv/lib -type d -name tests -prune -exec rm -r {} + \
    && /venv/bin/python -m compileall -q -j 0 --invalidation-mode unchecked-hash /venv/lib

FROM python:3.11-slim-bookworm
LABEL org.opencontainers.image.title="wine-slo" \
      org.opencontainers.image.description="A small wine-classifying service, and a watchdog that tells in Telegram when it breaks its promise" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.base.name="docker.io/library/python:3.11-slim-bookworm"
# data is the watchdog's volume; a new volume takes its owner from here.
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin app && install -d -o app -g app /app/data
COPY --from=build /venv /venv
WORKDIR /app
COPY models ./models
COPY slo.yml ./
USER 10001:10001
ENV PATH=/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    WINE_SLO_HOST=0.0.0.0 \
    WINE_SLO_WATCHDOG_HOST=0.0.0.0
EXPOSE 8000 8001
# Of the server; the watchdog's is in docker-compose.yml.
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/health', timeout=3)"]
CMD ["python", "-m", "wine_slo.server"]
