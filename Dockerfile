# One image for the server and the watchdog; docker-compose.yml says which of them a container is.
# By digest, as a tag moves: `docker buildx imagetools inspect python:3.11-slim-bookworm` says the newest one.
ARG PYTHON_IMAGE=python:3.11-slim-bookworm@sha256:a36c24f9cbdf4fd0f52d67f0823eeac19c2028c637cecc392d97f980d4fec56b

# The libraries: a layer of their own, so that a release of ours is only a few megabytes.
# Compiled by hash: the root is read-only, and files are not checked twice.
FROM ${PYTHON_IMAGE} AS libraries
RUN python -m venv --without-pip /venv
COPY requirements.txt deploy/image/trim.sh /build/
RUN pip --python /venv/bin/python install --no-cache-dir --no-compile --require-hashes -r /build/requirements.txt \
    && sh /build/trim.sh /venv/lib/python3.11/site-packages \
    && /venv/bin/python -m compileall -q -j 0 --invalidation-mode unchecked-hash /venv/lib

# Our own code, under /own where it will lie under /. Readable by everybody, whatever the umask of the clone was.
FROM libraries AS own
COPY requirements-build.txt /build/
RUN pip --python /venv/bin/python install --no-cache-dir --require-hashes -r /build/requirements-build.txt
WORKDIR /build
COPY deploy/image/health.sh /own/app/
COPY pyproject.toml README.md LICENSE .env.example prometheus.yml slo.schema.json ./
COPY models ./models
COPY config ./config
COPY wine_slo ./wine_slo
RUN pip --python /venv/bin/python install --no-cache-dir --no-compile --no-deps --no-build-isolation --root /own . \
    && /venv/bin/python -m compileall -q --invalidation-mode unchecked-hash -s /own /own \
    && chmod -R u=rwX,go=rX /own

FROM ${PYTHON_IMAGE}
LABEL org.opencontainers.image.title="wine-slo" \
      org.opencontainers.image.description="An SLO monitor for Prometheus that alerts in Telegram, with a small ML service to try it on" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.base.name="docker.io/library/python:3.11-slim-bookworm"
# data is the watchdog's volume; a new volume takes its owner from here.
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin app && install -d -m 700 -o app -g app /app/data
COPY --from=libraries /venv /venv
COPY --from=own /own /
WORKDIR /app
USER 10001:10001
ENV PATH=/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    WINE_SLO_HOST=0.0.0.0 \
    WINE_SLO_WATCHDOG_HOST=0.0.0.0 \
    WINE_SLO_SLEEP_ENABLED=false
EXPOSE 8000 8001
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s CMD ["bash", "/app/health.sh"]
CMD ["python", "-m", "wine_slo.server"]
