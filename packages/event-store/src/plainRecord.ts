/** Records of streams that are no orders (`rejected/…`, `anchor/…`): the envelope, with the flat fields empty. */
import { eventId, type UnsealedRecord } from "@petrosa/contracts"

export interface PlainRecordFields {
  readonly stream: string
  readonly version: number
  readonly type: string
  readonly schema: number
  readonly state: string
  /** ISO 8601 UTC with milliseconds. */
  readonly at: string
  readonly data: Readonly<Record<string, unknown>>
  readonly replica: string
  readonly engineVersion: string
  readonly settingsVersion: string
  readonly cause: string
  readonly simulationMode: boolean
}

export const plainRecord = (fields: PlainRecordFields): Omit<UnsealedRecord, "prev"> => ({
  _id: eventId(fields.stream, fields.version),
  stream: fields.stream,
  version: fields.version,
  schema: fields.schema,
  type: fields.type,
  state: fields.state,
  at: fields.at,
  data: fields.data,
  commands: [],
  settings_version: fields.settingsVersion,
  engine_version: fields.engineVersion,
  replica: fields.replica,
  cause: fields.cause,
  trace: null,
  order: "",
  signal_id: "",
  strategy_id: "",
  symbol: "",
  market: "",
  side: "",
  order_type: "",
  quantity: null,
  price: null,
  stop_loss: null,
  take_profit: null,
  binance_order_id: null,
  status: "pending",
  fill_price: null,
  filled_quantity: null,
  fees: null,
  open_quantity: "0",
  profit: null,
  reason: null,
  settled: true,
  done: true,
  parked: false,
  timestamp: fields.at,
  created_at: fields.at,
  simulation_mode: fields.simulationMode,
  metadata: {},
})
