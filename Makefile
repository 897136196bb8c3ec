# The only front door. `make` lists what there is.
SHELL := /bin/bash
.DEFAULT_GOAL := help

# dev, release or dist (as it is shipped: slow to build)
PROFILE ?= dev
# What `make bench` measures: what is shipped, unless PROFILE says otherwise
MEASURED = $(or $(filter-out dev,$(PROFILE)),dist)
# What `make test` runs, as arguments of cargo test: TESTS='-p auth-api refresh'
TESTS ?= --workspace
# How long `make soak` breaks parts
MINUTES ?= 5
# Arguments of `make audit`: ARGS='--session ID'
ARGS ?=
# For `make baseline`: not empty means that it may break what was
BREAKING ?=

TARGET := $(or $(CARGO_TARGET_DIR),target)
BIN := $(TARGET)/$(if $(filter dev,$(PROFILE)),debug,$(PROFILE))
# The stack program, in whichever profile it was built.
LOCAL = $(or $(firstword $(wildcard $(addsuffix /credo-local,$(BIN) $(TARGET)/debug $(TARGET)/release))),$(error nothing is built yet: `make build`))

.PHONY: help run build stop status table audit reset test soak check bench fmt sqlx baseline

help: ## this list
	@sed -nE 's/^([a-z]+):[^#]*## (.*)/  make \1\t\2/p' Makefile | expand -t 18

run: build ## build and start everything; Ctrl-C stops it. PROFILE=release: optimised
	@$(BIN)/credo-local run

build: ## build the services and the stack program
	cargo build --locked --workspace --bins --profile $(PROFILE)

status: ## how each part of the running stack is
	@$(LOCAL) status

table: ## addresses, users, clients and commands of the running stack
	@$(LOCAL) table

audit: ## the newest audit events. ARGS='--session ID'
	@$(LOCAL) audit $(ARGS)

stop: ## stop the running stack
	@$(LOCAL) stop

reset: ## wipe the data of `make run`: the next run begins anew
	@$(LOCAL) reset

test: ## all tests, end to end too, on a fresh stack of their own. TESTS='-p auth-api': some
	cargo build --locked --workspace --all-targets
	@$(TARGET)/debug/credo-local test -- cargo test --locked --no-fail-fast $(TESTS)

soak: ## the long tests: a million refreshes, then faults in a random order. MINUTES=5 of the latter
	cargo build --locked --workspace --all-targets
	@CREDO_SOAK_MINUTES=$(MINUTES) $(TARGET)/debug/credo-local --stack soak test -- sh -c \
	  'cargo test --locked -p credo-auth-store --test it -- --ignored soak && cargo test --locked -p credo-e2e -- --tags @soak'

check: ## format, lints, arrows between crates, tenant conditions in SQL
	cargo fmt --all --check
	cargo clippy --locked --workspace --all-targets -- -D warnings
	cargo test --quiet --locked --workspace --test arrows
	cargo test --quiet --locked --workspace --test it sql_files::

bench: ## figures of this machine, into .credo/bench/latest.json. QUICK=1: fewer rounds, about two minutes
	@$(MAKE) --no-print-directory build PROFILE=$(MEASURED)
	@$(TARGET)/$(MEASURED)/credo-local bench -- $(TARGET)/$(MEASURED)/credo-bench $(if $(QUICK),--quick)

fmt: ## format the code
	cargo fmt --all

# The macros write what they learn from a migrated database. The migration program reads offline data itself: if its own
# queries do not build, the one that was built last serves.
sqlx: ## learn the SQL statements' types anew, into .sqlx
	-cargo build --locked -p credo-local -p credo-migrate
	rm -rf .credo/cache/sqlx && mkdir -p .credo/cache/sqlx
	grep -rlE 'sqlx::query\w*!' --include='*.rs' services shared | xargs touch
	@$(TARGET)/debug/credo-local --stack sqlx test --only postgres -- sh -c 'SQLX_OFFLINE_DIR=$$PWD/.credo/cache/sqlx \
	  DATABASE_URL=$$CREDO_TEST_AUTH_DATABASE_URL AUDIT_DATABASE_URL=$$CREDO_TEST_AUDIT_DATABASE_URL cargo check --workspace --all-targets'
	rm -rf .sqlx && mv .credo/cache/sqlx .sqlx

# Refuses what would break callers of the definitions as they were; the tests compare with what this writes.
baseline: ## the definitions in proto/ are what later ones must not break. BREAKING=1: although they break those before
	cargo build --locked -p credo-local
	$(if $(BREAKING),,@$(TARGET)/debug/credo-local buf breaking --against baseline.binpb)
	@$(TARGET)/debug/credo-local buf build --exclude-source-info --output baseline.binpb
