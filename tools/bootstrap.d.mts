/** Types of bootstrap.mjs for its tests (it is plain JavaScript: nothing is installed when it starts). */
export const COMMANDS: Readonly<Record<string, { readonly script: string; readonly says: string }>>
export const isNewEnough: (version: string) => boolean
export const withoutNpm: (env: Readonly<Record<string, string | undefined>>) => Record<string, string>
