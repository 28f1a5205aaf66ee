/** Types of bootstrap.mjs for its tests, the bench and the campaigns (it is plain JavaScript: nothing is installed when it starts). */
interface Command {
  readonly script: string
  readonly says: string
  /** For Node. */
  readonly flags?: readonly string[]
  /** Where the environment does not say otherwise. */
  readonly env?: Readonly<Record<string, string>>
}
export const COMMANDS: Readonly<Record<string, Command>> & { readonly start: Command }
/** What Node is given for a command, before the command's own arguments. */
export const nodeArguments: (command: Pick<Command, "script" | "flags">) => readonly string[]
export const isNewEnough: (version: string) => boolean
export const withoutNpm: (env: Readonly<Record<string, string | undefined>>) => Record<string, string>
