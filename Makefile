# make up     runs server, Prometheus and watchdog together; Ctrl-C stops all three
# make test   everything CI runs
# make test-image   10 minutes, where Docker or podman is: builds the image and tries docker-compose.yml on it
# make test-servers   14 minutes: the same incidents on five servers that speak Prometheus' API, and on pairs of them
# make try-pods     two minutes, as root on Linux: runs what deploy/kubernetes describes as pods, without a cluster
# make test-quick   the unit tests, a minute or two; they need no Prometheus
# make newcomer   15 to 30 minutes: types the commands of README and tutorials in fresh clones, and compares
# make check  lint, types and layers
# make catalogue    finds what is said in the chat, writes the list that is to be translated anew, and compiles it
# make wheel  a minute or two: builds sdist and wheel into dist/, and tries the wheel and each of its extras outside this folder
# make lock   writes the pinned requirement files anew
# make docs   a minute: the documents as a site, in site/; a link that leads nowhere is an error
# make benchmark-serving     10 minutes: our server beside FastAPI, Litestar, Flask, BentoML and MLServer
# make reference     writes the parts of docs/reference/ and .env.example that come from the code anew
# make reliability   writes the table of docs/explanation/delivery.md anew
# make pictures      20 minutes: makes the pictures of chat, pages, charts and terminal in docs/images anew, from real runs
# make notebook      two minutes: runs docs/walkthrough.ipynb against the real processes and writes it anew with its outputs
# make soak   the crash test at every step and in every way, a hundred charts, Prometheus and VictoriaMetrics at scrapes
#             of 15 s, two hours of random faults, and fifty takeovers between three watchdogs
# make benchmark-watchdog    7 minutes: what an evaluation costs, with 3 and 100 objectives and with a thousand label sets
# make benchmark-scale       15 minutes: what many objectives and many label sets cost, beside Prometheus rules for the same
# make dashboard-preview   some minutes and half a gigabyte of npm: writes the pictures of docs/how-to/dashboards.md anew
# make benchmark-replay      6 minutes: what a replay of thirty days costs beside Prometheus' own time
# make benchmark-detection   25 minutes: how soon and how falsely we alert, beside Alertmanager

PYTHON ?= python3
BIN := .venv/bin
DOCS := .venv-docs/bin
PIP = $(BIN)/pip install --quiet --disable-pip-version-check --no-compile
# pip compiles with one processor, and imports of what is not compiled are slow: with all of them, tests left out.
COMPILE = $(BIN)/python -m compileall -q -j 0 -x '/tests?/' .venv/lib >/dev/null || true
# `pybabel`, with this folder's tools/ in reach.
PYBABEL := python -m babel.messages.frontend --quiet
export PATH := $(CURDIR)/.tools/bin:$(CURDIR)/$(BIN):$(PATH)

.PHONY: up docs test test-quick wheel test-image test-servers soak reference reliability pictures notebook check lock dashboard-preview catalogue benchmark-detection benchmark-replay benchmark-watchdog benchmark-scale benchmark-serving
.DELETE_ON_ERROR:

up: $(BIN)/.up .tools/bin/prometheus models/model.json
	@python -m tools.addresses
	@wine-slo is-set WINE_SLO_PROMETHEUS_URL; \
	    case $$? in 0) own= ;; 1) own=prometheus ;; *) exit 2 ;; esac; \
	    exec honcho start --env /dev/null server $$own watchdog    # each reads .env itself: honcho has other rules

test: check .tools/bin/prometheus .tools/bin/postgres .tools/bin/chromium .tools/bin/docker-compose .tools/bin/kubectl
	python -m pytest --numprocesses 5 --dist loadfile --no-loadscope-reorder

test-quick: $(BIN)/.dev
	python -m pytest --numprocesses 2 --dist loadfile tests/unit

wheel: $(BIN)/.dev .tools/bin/prometheus
	python tools/try_wheel.py

# Not of CI, which has no engine. It needs nothing but Python.
test-image:
	$(PYTHON) tools/try_image.py

# Not of CI, where nobody may mount.
.PHONY: try-pods
try-pods: $(BIN)/.dev .tools/bin/kubectl .tools/bin/postgres
	python -m pytest --capture=no tests/system/pods.py

# Not of CI: it gets 260 MB, and waits for two minutes.
test-servers: $(BIN)/.dev .tools/servers
	python -m pytest --capture=no tests/system/test_servers.py
	WINE_SLO_SOAK=4 python -m pytest --capture=no tests/system/test_servers.py tests/system/test_replicas.py

# Not of CI's `make test`: it installs everything three times. It needs nothing but Python and what the documents name.
.PHONY: newcomer
newcomer:
	$(PYTHON) -m tests.newcomer

reference: $(BIN)/.dev
	python -m tools.reference

reliability: $(BIN)/.dev
	WINE_SLO_WRITE_RELIABILITY=1 python -m pytest tests/system/test_fault_matrix.py

# Those of the dashboards have their own target, as they need npm.
pictures: $(BIN)/.pictures .tools/bin/prometheus .tools/bin/chromium .tools/share/fonts
	python -m tools.pictures

notebook: $(DOCS)/.notebook $(BIN)/.dev .tools/bin/prometheus models/model.json
	$(DOCS)/python -m tests.support.walkthrough.notebook

# Where it may be had: a network without anything, of which a test makes lines that go dead.
OWN_NETWORK = $(shell unshare --net true 2>/dev/null && echo "unshare --net sh -c 'ip link set lo up && exec \"\$$@\"' sh")

soak: $(BIN)/.dev .tools/bin/prometheus .tools/bin/postgres .tools/lib/libfaketime.so
	WINE_SLO_SOAK=4 python -m pytest tests/system/test_crash.py tests/system/test_memory.py \
	    tests/integration/service/test_fuzz_body.py tests/integration/service/test_contract.py \
	    tests/integration/monitor/evaluate/test_fuzz_answers.py tests/integration/integrations/telegram/test_fuzz_answers.py \
	    tests/integration/monitor/chatops/test_updates_fuzz.py
	WINE_SLO_SOAK_MINUTES=120 python -m pytest --capture=no tests/system/soak.py
	$(OWN_NETWORK) python -m pytest --capture=no tests/system/soak_takeovers.py

check: $(BIN)/.dev
	ruff check
	ruff format --check
	mypy
	lint-imports

lock: $(BIN)/.dev
	uv pip compile pyproject.toml --all-extras --group up --universal --python-version 3.11 --generate-hashes \
	    --no-emit-index-url --no-header --quiet --output-file requirements.txt
	uv pip compile --group build --constraints requirements.txt --universal --python-version 3.11 --generate-hashes \
	    --no-emit-index-url --no-header --quiet --output-file requirements-build.txt
	uv pip compile pyproject.toml --all-extras --group up --group dev --constraints requirements.txt --constraints requirements-build.txt --universal \
	    --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --quiet --output-file requirements-dev.txt
	uv pip compile --group pictures --constraints requirements-dev.txt --universal --python-version 3.11 --generate-hashes \
	    --no-emit-index-url --no-header --quiet --output-file requirements-pictures.txt
	uv pip compile --group docs --constraints requirements-dev.txt --universal --python-version 3.11 --generate-hashes \
	    --no-emit-index-url --no-header --quiet --output-file requirements-docs.txt
	uv pip compile --group notebook --constraints requirements-dev.txt --constraints requirements-docs.txt --universal --python-version 3.11 --generate-hashes \
	    --no-emit-index-url --no-header --quiet --output-file requirements-notebook.txt

# English is the name of each sentence, so it has no list. Without places and dates, so that branches do not collide.
# Where git cannot merge the compiled .mo: merge the .po, then this.
catalogue: $(BIN)/.dev
	$(PYBABEL) extract --mapping pyproject.toml --no-location --sort-output --no-wrap --output .tools/messages.pot wine_slo
	$(PYBABEL) update --domain wine_slo --input-file .tools/messages.pot --output-dir wine_slo/locale \
	    --no-wrap --no-fuzzy-matching --ignore-obsolete --ignore-pot-creation-date
	$(PYBABEL) compile --domain wine_slo --directory wine_slo/locale

docs: $(DOCS)/.docs .tools/site/mermaid.min.js
	NO_MKDOCS_2_WARNING=1 $(DOCS)/python -m mkdocs build --clean
	$(DOCS)/python -m tools.site.check site
	@echo "The documents: site/index.html, or with a search: python3 -m http.server --directory site --bind 127.0.0.1 8008"

models/model.json: | $(BIN)/.up
	wine-slo train

# A stamp for each, so that who only wants to run it does not install the linters, nor `make test` Jupyter.
$(BIN)/.up: requirements.txt requirements-build.txt pyproject.toml
	$(PYTHON) -m venv .venv
	$(PIP) --require-hashes -r requirements.txt -r requirements-build.txt
	$(PIP) --no-deps --no-build-isolation --editable .
	$(COMPILE)
	@touch $@

$(BIN)/.dev: requirements-dev.txt $(BIN)/.up
	$(PIP) --require-hashes -r requirements-dev.txt
	$(COMPILE)
	@touch $@

$(BIN)/.pictures: requirements-pictures.txt $(BIN)/.dev
	$(PIP) --require-hashes -r requirements-pictures.txt
	@touch $@

# Above .venv, and not in it: python-telegram-bot imports the tornado of Jupyter where it finds it.
$(DOCS)/.base: $(BIN)/.up
	$(PYTHON) -m venv --clear .venv-docs
	$(BIN)/python -c 'import site; print("import site; site.addsitedir(%r)" % site.getsitepackages()[0])' > \
	    "$$($(DOCS)/python -c 'import site; print(*site.getsitepackages())')/above.pth"
	@touch $@

$(DOCS)/.notebook: requirements-notebook.txt $(DOCS)/.base
	$(DOCS)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-notebook.txt
	@touch $@

$(DOCS)/.docs: requirements-docs.txt $(DOCS)/.base
	$(DOCS)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-docs.txt
	@touch $@

benchmark-serving: $(BIN)/.dev
	@command -v wrk >/dev/null || { echo "wrk is needed; on Debian: apt-get install wrk" >&2; exit 1; }
	python -m benchmarks.serving

benchmark-watchdog: $(BIN)/.dev .tools/bin/prometheus
	python -m benchmarks.watchdog

benchmark-scale: $(BIN)/.dev .tools/bin/prometheus
	python -m benchmarks.scale

benchmark-replay: $(BIN)/.dev .tools/bin/prometheus
	python -m benchmarks.replay

benchmark-detection: $(BIN)/.dev .tools/bin/prometheus .tools/bin/alertmanager
	python -m benchmarks.detection

dashboard-preview: $(BIN)/.dev .tools/bin/prometheus .tools/bin/chromium
	@command -v npm >/dev/null || { echo "npm is needed, of Node 20 or newer" >&2; exit 1; }
	mkdir -p .tools/preview
	cp tools/preview/package.json tools/preview/package-lock.json tools/preview/preview.jsx .tools/preview
	cd .tools/preview && npm ci --no-audit --no-fund --ignore-scripts && npx esbuild preview.jsx --bundle \
	    --minify --outfile=preview.js --loader:.ttf=empty --define:process.env.NODE_ENV='"production"' --define:global=window
	python -m tools.preview

.tools/bin/prometheus:
	tools/get_prometheus.sh .tools

.tools/bin/postgres:
	tools/get_postgres.sh .tools

.tools/share/fonts: tools/get_fonts.sh
	tools/get_fonts.sh .tools
	@touch $@

.tools/site/mermaid.min.js: tools/get_mermaid.sh
	tools/get_mermaid.sh .tools

.tools/servers: tools/get_servers.sh
	tools/get_servers.sh .tools
	@touch $@

.tools/lib/libfaketime.so:
	tools/get_faketime.sh .tools

.tools/bin/alertmanager:
	tools/get_prometheus.sh .tools alertmanager

.tools/bin/chromium:
	tools/get_chromium.sh .tools

.tools/bin/docker-compose: tools/get_compose.sh
	tools/get_compose.sh .tools

.tools/bin/kubectl: tools/get_kubectl.sh
	tools/get_kubectl.sh .tools
