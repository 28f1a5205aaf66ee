/** What depends on one object alone (rules, settings, what a venue can do) is worked out once for it, and kept as long as it is. */

/** One decision asks for the same several times: the last answer is at hand without a look-up. */
export const oncePer = <K extends object, V>(make: (key: K) => V): ((key: K) => V) => {
  const all = new WeakMap<K, V>()
  let lastKey: K | undefined
  let last: V | undefined
  return (key) => {
    if (key === lastKey) return last as V
    let value = all.get(key)
    if (value === undefined) {
      value = make(key)
      all.set(key, value)
    }
    lastKey = key
    last = value
    return value
  }
}
