/** Where prices start when nobody says otherwise: round numbers of the right size, in the quote asset. */
export const START_PRICES: Readonly<Record<string, string>> = {
  BTCUSDT: "50000",
  ETHUSDT: "3000",
  BNBUSDT: "600",
  LTCUSDT: "80",
  XRPUSDT: "2",
  TRXUSDT: "0.3",
  ADAUSDT: "0.6",
  XLMUSDT: "0.3",
  BTCUSDC: "50000",
  ETHUSDC: "3000",
  LINKUSDT: "15",
  ATOMUSDT: "5",
  DOGEUSDT: "0.2",
  BCHUSDT: "400",
  SOLUSDT: "150",
  DOTUSDT: "5",
  UNIUSDT: "8",
  AVAXUSDT: "25",
  NEARUSDT: "3",
  SHIBUSDT: "0.00002",
  PEPEUSDT: "0.00001",
  "1000SHIBUSDT": "0.02",
  "1000PEPEUSDT": "0.01",
  ETHBTC: "0.06",
}
/** Of a symbol that is not in the list. */
export const OTHER_PRICE = "100"
