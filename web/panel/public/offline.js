/** The page without a network: in the browser's language, and away as soon as the network is back. */
const TEXTS = {
  de: ["Keine Verbindung", "Parley öffnet sich, sobald das Netz wieder da ist.", "Erneut versuchen"],
  es: ["Sin conexión", "Parley se abrirá en cuanto vuelva la red.", "Reintentar"],
  fr: ["Pas de connexion", "Parley s’ouvrira dès que le réseau sera de retour.", "Réessayer"],
  pt: ["Sem conexão", "O Parley abrirá assim que a rede voltar.", "Tentar novamente"],
  ar: ["لا يوجد اتصال", "سيُفتح Parley بمجرد عودة الشبكة.", "إعادة المحاولة"],
  ja: ["接続がありません", "ネットワークが復旧すると Parley が開きます。", "再試行"],
};
const language = navigator.languages
  .map((tag) => tag.split("-")[0])
  .find((one) => one === "en" || TEXTS[one]);
if (language && TEXTS[language]) {
  document.documentElement.lang = language;
  document.documentElement.dir = language === "ar" ? "rtl" : "ltr";
  ["h1", "p", "button"].forEach((name, index) => {
    document.querySelector(name).textContent = TEXTS[language][index];
  });
}
document.querySelector("button").addEventListener("click", () => location.reload());
addEventListener("online", () => location.reload());

/** The server may be away while the network is there, which no event tells. */
const RETRY_MS = 3000;
setInterval(() => {
  fetch("icon.svg", { cache: "no-store" }).then(
    () => location.reload(),
    () => undefined,
  );
}, RETRY_MS);
