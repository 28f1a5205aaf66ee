# Thin names for what npm does (see README.md). Everything is fetched at the first command.
.PHONY: setup run test check deploy down

setup: ## fetch and build all that is needed
	node tools/bootstrap.mjs setup

run: ## the engine, in simulation, with a NATS server of its own
	npm start

test: ## all tests
	npm test

check: ## format, lint, types, architecture
	npm run --silent check

deploy: ## NATS, MongoDB and the engine in containers, on this machine
	docker compose up --detach --build

down: ## stop them; their data stays
	docker compose down
