/** Messages of Binance as they were recorded or documented (user-data-stream.md; issues of clients, 2025-12 … 2026-05). */
export const EXECUTION_REPORT = `{"subscriptionId":0,"event":{"e":"executionReport","E":1499405658658,"s":"ETHBTC","c":"mUvoqJxFIILMdfAW5iGSOW","S":"BUY","o":"LIMIT","f":"GTC","q":"1.00000000","p":"0.10264410","P":"0.00000000","F":"0.00000000","g":-1,"C":"","x":"NEW","X":"NEW","r":"NONE","i":4293153,"l":"0.00000000","z":"0.00000000","L":"0.00000000","n":"0","N":null,"T":1499405658657,"t":-1,"I":8641984,"w":true,"m":false,"M":false,"O":1499405658657,"Z":"0.00000000","Y":"0.00000000","Q":"0.00000000","W":1499405658657,"V":"NONE"}}`
export const ACCOUNT_POSITION = `{"subscriptionId":0,"event":{"e":"outboundAccountPosition","E":1564034571105,"u":1564034571073,"B":[{"a":"ETH","f":"10000.000000","l":"0.000000"}]}}`
export const LIST_STATUS = `{"subscriptionId":0,"event":{"e":"listStatus","E":1564035303637,"s":"ETHBTC","g":2,"c":"OCO","l":"EXEC_STARTED","L":"EXECUTING","r":"NONE","C":"F4QN4G8DlFATFlIUQ0cjdD","T":1564035303625,"O":[{"s":"ETHBTC","i":17,"c":"AJYsMjErWJesZvqlJCTUgL"},{"s":"ETHBTC","i":18,"c":"bfYPSQdLoqAJeNrOr9adzq"}]}}`
export const ORDER_TRADE_UPDATE = `{"e":"ORDER_TRADE_UPDATE","T":1779367929401,"E":1779367929402,"o":{"s":"SOLUSDT","c":"bot-e0536484551311f1b0c42676a180379c","S":"BUY","o":"LIMIT","f":"GTC","q":"21.26","p":"85.67","ap":"0","sp":"0","x":"NEW","X":"NEW","i":215456450616,"l":"0","z":"0","L":"0","n":"0","N":"USDT","T":1779367929401,"t":0,"b":"2520.672","a":"0","m":false,"R":true,"wt":"CONTRACT_PRICE","ot":"LIMIT","ps":"SHORT","cp":false,"rp":"0","pP":false,"si":0,"ss":0,"V":"EXPIRE_MAKER","pm":"NONE","gtd":0,"er":"0"}}`
export const ACCOUNT_UPDATE = `{"e":"ACCOUNT_UPDATE","E":1564745798939,"T":1564745798938,"a":{"m":"ORDER","B":[{"a":"USDT","wb":"122624.12345678","cw":"100.12345678","bc":"50.12345678"}],"P":[{"s":"BTCUSDT","pa":"20","ep":"6563.6","bep":"6563.559","cr":"0","up":"2850.21200","mt":"isolated","iw":"13200.70726908","ps":"LONG"}]}}`
export const ALGO_UPDATE = `{"e":"ALGO_UPDATE","T":1765431097030,"E":1765431097037,"o":{"caid":"O-20251211-053131-TEST-000-1","aid":1000000033225453,"at":"CONDITIONAL","o":"STOP_MARKET","s":"DOGEUSDT","S":"BUY","ps":"BOTH","f":"GTC","q":"38","X":"TRIGGERED","ai":"88937381063","ap":"0","aq":"0","act":"MARKET","tp":"0.13855","p":"0","V":"EXPIRE_MAKER","wt":"CONTRACT_PRICE","pm":"NONE","cp":false,"pP":false,"R":false,"tt":1765431097019,"gtd":0}}`
export const TRADE_LITE = `{"e":"TRADE_LITE","E":1727683915920,"T":1727683915920,"s":"ETHUSDT","q":"0.037","p":"2631.90","m":false,"c":"O-20240930-081155-001-000-29","S":"BUY","L":"2631.90","l":"0.037","t":4467432841,"i":8389765739703625592}`
export const LISTEN_KEY_EXPIRED = `{"e":"listenKeyExpired","E":"1736996475556","listenKey":"OfYGbUzi3PraNagEkdKuFwUHn48brFsItTdsuiIXrucvlebgfzeWWLPHxtXZ"}`

/** A recorded message with other values in it, as text: numbers stay as they are written. */
export const changed = (message: string, changes: Readonly<Record<string, string>>): string =>
  Object.entries(changes).reduce((text, [name, value]) => {
    const found = new RegExp(`"${name}":("[^"]*"|-?\\d+|null|true|false)`)
    if (!found.test(text)) throw new Error(`${name} is not in the message`)
    return text.replace(found, `"${name}":${value}`)
  }, message)
