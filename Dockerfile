# The worker, the gateway, and the responders' command line: docker compose exec worker incident list
#
# Two stages: pip, setuptools and what they leave behind stay in the first one. `make size` measures the second's packages.
FROM python:3.12-slim AS build

ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /build

# What others wrote changes seldom: a layer of its own, of exactly the files that requirements.txt names by their hashes.
COPY requirements.txt constraints.txt ./
RUN python -m venv --without-pip /venv \
    && pip --python /venv/bin/python install --require-hashes -r requirements.txt \
    && pip install -c constraints.txt setuptools

# Object stores for EVIDENCE_URL: docker compose build --build-arg EXTRAS=s3 (or gcs, azure; several with commas).
ARG EXTRAS=""

# .dockerignore lets in what the program consists of, and nothing else.
COPY . .
RUN pip wheel --no-deps --no-build-isolation --wheel-dir /wheels . \
    && wheel=$(echo /wheels/*.whl) \
    && echo "incident-runbook[${EXTRAS}] @ file://$wheel --hash=sha256:$(sha256sum "$wheel" | cut -d' ' -f1)" > own.txt \
    && pip --python /venv/bin/python install --require-hashes -c constraints.txt -r own.txt

FROM python:3.12-slim

ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PATH=/venv/bin:$PATH
WORKDIR /app

COPY --from=build /venv /venv
COPY worker.py starter.py runbook.yaml ./
RUN useradd --system --uid 10001 --no-create-home --home-dir /app runbook \
    && install -d -o runbook -g runbook evidence spool drills tokens

USER runbook
ENV ALERT_SPOOL=/app/spool API_TOKENS=/app/tokens/api-tokens.json
# The places of evidence, spool, drills and tokens: a named volume takes its owner from the folder it is mounted over.
VOLUME /app/evidence /app/spool /app/drills /app/tokens

# No HEALTHCHECK: it depends on what the container runs. docker-compose.yml and deploy/kubernetes have one for each.
STOPSIGNAL SIGTERM
CMD ["python", "worker.py"]
