# Bot, studio, API and the sketch engine, without rights and on a read-only root: docs/deploy.md
# Another base, by digest for example: docker build --build-arg BASE=docker.io/library/python@sha256:... .
ARG BASE=docker.io/library/python:3.12-slim-bookworm

# hadolint ignore=DL3006
FROM ${BASE} AS packages
# more doors and engines, by the names of their requirements: --build-arg EXTRAS="bus art"
ARG EXTRAS=""
COPY requirements*.txt /build/
RUN python3 -m venv /venv \
    && for name in "" $EXTRAS; do \
        /venv/bin/python -m pip install --no-cache-dir --disable-pip-version-check --quiet \
            -r "/build/requirements${name:+-$name}.txt" || exit 1; \
    done \
    && /venv/bin/python -m pip uninstall --quiet --yes pip
COPY . /easel
RUN /venv/bin/python -m compileall -q /easel

# hadolint ignore=DL3006
FROM ${BASE}
LABEL org.opencontainers.image.title="Easel" \
      org.opencontainers.image.description="A Discord bot that makes pictures on the image generator its owner has" \
      org.opencontainers.image.licenses="MIT"
RUN groupadd --gid 10001 easel \
    && useradd --uid 10001 --gid easel --no-create-home --home-dir /data --shell /usr/sbin/nologin easel \
    && install --directory --owner=easel --group=easel --mode=0700 /data
COPY --from=packages /venv /venv
COPY --from=packages /easel /easel
# what is in the image, for scanners of holes (CycloneDX)
RUN /venv/bin/python /easel/deploy/sbom.py > /easel/easel.cdx.json
ENV PATH=/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    DATA_DIR=/data \
    WEB_HOST=0.0.0.0 \
    PORT=8484
# settings are read from /data/.env as well, which the first start makes
WORKDIR /data
VOLUME /data
EXPOSE 8484
USER 10001:10001
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s --retries=3 CMD ["python", "/easel/deploy/health.py"]
ENTRYPOINT ["python", "/easel/main.py"]
CMD ["start"]
