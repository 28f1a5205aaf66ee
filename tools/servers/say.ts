/** One line of progress for people, on stderr: stdout belongs to the command that runs. */
export const say = (line: string): void => {
  process.stderr.write(`petrosa: ${line}\n`)
}
