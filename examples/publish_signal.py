"""Publishes one signal and waits for what becomes of it: `pip install nats-py`, then `python examples/publish_signal.py`."""
import asyncio
import json
import os
import uuid
from datetime import datetime, timezone

import nats


async def main() -> None:
    nc = await nats.connect(os.environ.get("NATS_URL", "nats://127.0.0.1:4222"))
    answers = await nc.subscribe("execution.events.>")
    signal = {
        "signal_id": str(uuid.uuid4()),  # the same id again is the same order
        "strategy_id": "example_python",
        "symbol": "BTCUSDT",
        "action": "buy",
        "confidence": 0.85,
        "price": 50000.0,
        "quantity": 0.001,
        "stop_loss": 49000.0,
        "take_profit": 51500.0,
        "timestamp": datetime.now(timezone.utc).isoformat(),
    }
    await nc.publish("signals.trading", json.dumps(signal).encode())
    await nc.flush()
    async for message in answers.messages:
        answer = json.loads(message.data)
        if answer["signal_id"] == signal["signal_id"]:
            print(json.dumps(answer, indent=2))
            break
    await nc.drain()


asyncio.run(main())
