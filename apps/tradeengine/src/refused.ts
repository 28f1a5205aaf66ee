/** The service cannot start with these settings in this place; the message says what to change. */
export class StartRefused extends Error {
  override readonly name = "StartRefused"
}
