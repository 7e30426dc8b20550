# The worker, and with it the responders' command line: docker compose exec worker incident list
FROM python:3.12-slim

ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /app

# What others wrote changes seldom: a layer of its own, of exactly the files that constraints.txt names by their hashes.
COPY constraints.txt ./
RUN pip install --require-hashes -r constraints.txt

# .dockerignore lets in what the program consists of, and nothing else.
COPY . .
RUN pip install --no-deps --no-build-isolation . \
    && rm -rf build ./*.egg-info \
    && useradd --system --uid 10001 --no-create-home --home-dir /app runbook \
    && install -d -o runbook -g runbook evidence spool drills tokens

USER runbook
ENV ALERT_SPOOL=/app/spool API_TOKENS=/app/tokens/api-tokens.json
# The places of evidence, spool, drills and tokens: a named volume takes its owner from the folder it is mounted over.
VOLUME /app/evidence /app/spool /app/drills /app/tokens

# No HEALTHCHECK: the worker listens on no port. It exits when it cannot work, and whoever runs it starts it again.
STOPSIGNAL SIGTERM
CMD ["python", "worker.py"]
