/** The sentences in German. */
import type { Strings } from "./languages.ts";

/** Head and foot of every page. */
export const FRAME: Strings["FRAME"] = {
  navigation: "Seiten",
  upload: "Hochladen",
  files: "Dateien",
  skip: "Zum Inhalt springen",
  language: "Sprache",
};

/** `GET /`. */
export const HOME: Strings["HOME"] = {
  title: "Dateien hochladen",
  lead: "Dateien gehen direkt auf diesen Server, werden unterwegs geprüft und dann aufgelistet.",
  limit: (size: string) => `Bis zu ${size} je Datei.`,
  choose: "Dateien wählen",
  orDrop: "oder Dateien und Ordner hier ablegen",
  chooseFolder: "Einen Ordner wählen",
  dropNow: "Zum Hinzufügen loslassen",
  description: "Beschreibung",
  optional: "freiwillig",
  descriptionHelp: "Wird bei jeder Datei dieses Vorgangs gespeichert.",
  submit: "Hochladen",
  submitCount: (count: number, shown: string) => (count === 1 ? "1 Datei hochladen" : `${shown} Dateien hochladen`),
  interruptedTitle: "Unterbrochene Uploads",
  interruptedHelp: "Dieselbe Datei noch einmal wählen: Es geht dort weiter, wo es aufgehört hat.",
  queueTitle: "Ihre Dateien",
  terminalTitle: "Vom Terminal aus",
  terminalPush: "Mit dem Programm dieser Seite",
  terminalPushHelp: "Es braucht Node.js 20 oder neuer. Es nimmt Dateien, Ordner und die Standardeingabe, macht nach einem Abriss weiter und vergleicht Prüfsummen.",
  terminalCurl: "Nur mit curl",
  terminalTrust: "Traut ein Befehl dem Zertifikat der Seite nicht, hängen Sie --cacert CA an; CA ist die Datei der Zertifizierungsstelle dieser Seite.",
  withoutScript: "Ohne JavaScript ist kein Fortschritt zu sehen; das Hochladen geht trotzdem.",
};

/** The line of one file below the form. */
export const ITEM: Strings["ITEM"] = {
  ready: "Bereit",
  queued: "Wartet, bis es an der Reihe ist",
  sending: "Wird hochgeladen",
  paused: "Angehalten",
  finishing: "Alles gesendet, die Datei wird abgelegt und geprüft",
  done: "Hochgeladen",
  cancelled: "Abgebrochen",
  failed: "Nicht hochgeladen",
  remove: "Entfernen",
  cancel: "Abbrechen",
  pause: "Anhalten",
  resume: "Fortsetzen",
  discard: "Verwerfen",
  goesOn: (size: string, percent: number) => `${size} · noch einmal wählen, es geht bei ${percent} % weiter`,
  verified: "wie auf diesem Gerät",
  retry: "Wiederholen",
  dismiss: "Ausblenden",
  progressOf: (name: string) => `Fortschritt von ${name}`,
  actionOn: (action: string, name: string) => `${action}: ${name}`,
  amount: (done: string, total: string, percent: number) => `${done} von ${total} · ${percent} %`,
  left: (duration: string) => `noch ${duration}`,
  requestId: (id: string) => `Anfrage ${id}`,
  seeInList: "In der Liste ansehen",
  overall: (done: string, total: string) => `${done} von ${total} hochgeladen`,
  overallFailed: (failed: string) => `${failed} nicht hochgeladen`,
  seeList: "Zur Liste",
};

/** Copy buttons, on both pages. */
export const COPY: Strings["COPY"] = {
  copy: "Kopieren",
  copied: "Kopiert",
  failed: "Nicht kopiert",
  digest: (algorithm: string, name: string) => `${algorithm} von ${name} kopieren`,
  command: (title: string) => `Den Befehl kopieren: ${title}`,
};

/** Read aloud by screen readers as things happen. */
export const LIVE: Strings["LIVE"] = {
  added: (count: number) => (count === 1 ? "1 Datei hinzugefügt" : `${count} Dateien hinzugefügt`),
  already: (count: number, shown: string) => (count === 1 ? "1 Datei steht schon in der Liste und wurde nicht noch einmal hinzugefügt." : `${shown} Dateien stehen schon in der Liste und wurden nicht noch einmal hinzugefügt.`),
  started: (name: string) => `${name} wird hochgeladen`,
  done: (name: string) => `${name} hochgeladen`,
  failed: (name: string, message: string) => `${name} wurde nicht hochgeladen: ${message}`,
  cancelled: (name: string) => `${name} abgebrochen`,
  paused: (name: string) => `${name} angehalten`,
  overall: (done: number, failed: number) => `${done} hochgeladen, ${failed} nicht hochgeladen`,
  interrupted: (count: number) => (count === 1 ? "1 unterbrochener Upload kann weitergehen" : `${count} unterbrochene Uploads können weitergehen`),
  removed: (name: string) => `${name} entfernt`,
  copied: "In die Zwischenablage kopiert",
};

/** What the browser itself finds wrong; the server's own sentences come with its answers. */
export const PROBLEM: Strings["PROBLEM"] = {
  tooLarge: (size: string, limit: string) => ({
    message: `Die Datei hat ${size}; diese Seite nimmt bis zu ${limit} je Datei.`,
    hint: "Teilen Sie die Datei, oder bitten Sie die Verwaltung der Seite um eine höhere Grenze.",
  }),
  folder: (name: string) => ({
    message: `Der Browser konnte den Ordner ${name} nicht lesen.`,
    hint: "Prüfen Sie, ob Sie ihn lesen dürfen, oder wählen Sie ihn mit der Schaltfläche, statt ihn abzulegen.",
  }),
  mismatch: (here: string, there: string) => ({
    message: `Die angekommene Datei weicht von der auf diesem Gerät ab: SHA-256 ${there} dort, ${here} hier.`,
    hint: "Verwenden Sie die Kopie auf dem Server nicht. Prüfen Sie, ob ein Programm die Datei ändert, und wiederholen Sie; geschieht es wieder, melden Sie es der Verwaltung der Seite.",
  }),
  unreadable: {
    message: "Der Browser kann die Datei nicht mehr lesen.",
    hint: "Sie wurde geändert, verschoben oder gelöscht, nachdem Sie sie gewählt haben, oder sie ist ein Ordner. Blenden Sie sie hier aus und wählen Sie sie neu.",
  },
  elsewhere: {
    message: "Diese Datei wird in einem anderen Tab oder Fenster dieses Browsers hochgeladen.",
    hint: "Lassen Sie sie dort fertig werden, oder halten Sie sie dort an und wiederholen Sie hier: Es geht dort weiter, wo es steht.",
  },
  offline: {
    message: "Dieses Gerät ist offline.",
    hint: "Prüfen Sie das Netz und wiederholen Sie dann.",
  },
  unreachable: {
    message: "Der Server war nicht zu erreichen.",
    hint: "Prüfen Sie das Netz und ob die Seite läuft, und wiederholen Sie dann.",
  },
  unanswered: {
    message: "Die Verbindung wurde geschlossen, bevor der Server antwortete.",
    hint: "Die Datei kann trotzdem angekommen sein: Sehen Sie in der Liste nach, bevor Sie wiederholen.",
  },
  closed: (done: string, total: string) => ({
    message: `Die Verbindung wurde nach ${done} von ${total} geschlossen.`,
    hint: "Wiederholen Sie. Bricht es wieder ab, begrenzt vielleicht der Server oder etwas dazwischen Größe oder Zeit: Nennen Sie der Verwaltung der Seite Uhrzeit und Größe.",
  }),
  unexpected: (status: number) => ({
    message: `Der Server antwortete mit Status ${status} und in einer Form, die diese Seite nicht versteht.`,
    hint: "Wiederholen Sie. Geschieht es wieder, nennen Sie der Verwaltung der Seite Uhrzeit und Status.",
  }),
};

/** `GET /list`. */
export const LIST: Strings["LIST"] = {
  title: "Dateien",
  search: "Suchen",
  searchHelp: "Name oder Beschreibung",
  clear: "Zurücksetzen",
  name: "Name",
  size: "Größe",
  checksum: "Prüfsumme",
  time: "Hochgeladen",
  description: "Beschreibung",
  caption: (order: string) => `Hochgeladene Dateien, ${order}`,
  orders: {
    "-time": "neueste zuerst",
    time: "älteste zuerst",
    name: "nach Namen, A bis Z",
    "-name": "nach Namen, Z bis A",
    "-size": "größte zuerst",
    size: "kleinste zuerst",
  },
  firstPage: "Erste Seite",
  nextPage: "Nächste Seite",
  underWay: "Unterwegs",
  since: "seit",
  more: (count: string) => `und ${count} weitere`,
  arrived: (count: number, name: string) => (count === 1 ? `Neu in der Liste: ${name}` : `${count} neue Dateien in der Liste`),
  stale: "Diese Liste ist nicht auf dem neuesten Stand: Der Server antwortet nicht. Er wird von selbst wieder gefragt.",
  added: (count: number) => (count === 1 ? "1 Datei hochgeladen." : `${count} Dateien hochgeladen.`),
  isNew: "neu",
  pending: "wird abgelegt",
  empty: "Noch keine Dateien",
  emptyHint: "Laden Sie die erste hoch.",
  nothingFound: (query: string) => `Keine Datei passt zu „${query}“`,
  nothingFoundHint: "Gesucht wird in Namen und Beschreibungen.",
  noMore: "Keine älteren Dateien",
  noMoreHint: "Hier ist die Liste zu Ende.",
  showAll: "Alle Dateien zeigen",
  older: "Ältere",
  newest: "Neueste",
  pages: "Seiten der Liste",
};

/** Error pages. */
export const ERROR: Strings["ERROR"] = {
  title: (status: number) => `Fehler ${status}`,
  back: "Zurück zum Hochladen",
  toList: "Liste der Dateien",
  requestId: "Nummer der Anfrage",
  detail: "Der Server selbst sagt:",
  requestIdHelp: "Nennen Sie sie, wenn Sie die Verwaltung der Seite fragen: Sie steht in den Protokollen.",
};
