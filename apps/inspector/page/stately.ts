/**
 * Hands what `/inspector/stately` sends to the Stately inspector in a frame, once somebody has asked for it. Nothing is
 * attached, and nothing is loaded from elsewhere, before that.
 */
import { h, must } from "./dom.ts"

const STATELY = "https://stately.ai"
const RETRY_MS = 2000

const address = `ws://${location.host}/inspector/stately`
const status = must("#status")
const says = (text: string): void => {
  status.textContent = text
}

const attach = (frame: HTMLIFrameElement): void => {
  const socket = new WebSocket(address)
  let actors = 0
  let messages = 0
  socket.addEventListener("open", () => says("attached"))
  socket.addEventListener("message", ({ data }) => {
    const message = JSON.parse(String(data)) as { readonly type: string }
    messages += 1
    if (message.type === "@xstate.actor") actors += 1
    says(`attached: ${actors} orders, ${messages} messages`)
    frame.contentWindow?.postMessage(message, STATELY)
  })
  socket.addEventListener("close", () => {
    says("not attached, trying again")
    setTimeout(() => attach(frame), RETRY_MS)
  })
}

must("#address").textContent = address
must("#open").addEventListener("click", () => {
  const frame = h("iframe", { src: `${STATELY}/inspect`, title: "Stately inspector" })
  let connected = false
  addEventListener("message", (event) => {
    const type = (event.data as { readonly type?: unknown } | null)?.type
    if (connected || event.origin !== STATELY || event.source !== frame.contentWindow || type !== "@statelyai.connected") return
    connected = true
    attach(frame)
  })
  must("#offer").replaceWith(frame)
  says("waiting for stately.ai")
})
