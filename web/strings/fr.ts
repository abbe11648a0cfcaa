/** The sentences in French. */
import type { Strings } from "./languages.ts";

/** Head and foot of every page. */
export const FRAME: Strings["FRAME"] = {
  navigation: "Pages",
  upload: "Envoyer",
  files: "Fichiers",
  skip: "Aller au contenu",
  language: "Langue",
};

/** `GET /`. */
export const HOME: Strings["HOME"] = {
  title: "Envoyer des fichiers",
  lead: "Les fichiers vont directement sur ce serveur, sont vérifiés en chemin, puis listés.",
  limit: (size: string) => `Jusqu’à ${size} par fichier.`,
  choose: "Choisir des fichiers",
  orDrop: "ou déposer ici fichiers et dossiers",
  chooseFolder: "Choisir un dossier",
  dropNow: "Lâcher pour ajouter",
  description: "Description",
  optional: "facultatif",
  descriptionHelp: "Conservée avec chaque fichier de cet envoi.",
  submit: "Envoyer",
  submitCount: (count: number, shown: string) => (count === 1 ? "Envoyer 1 fichier" : `Envoyer ${shown} fichiers`),
  interruptedTitle: "Envois interrompus",
  interruptedHelp: "Choisissez de nouveau le même fichier : l’envoi reprend où il s’est arrêté.",
  queueTitle: "Vos fichiers",
  terminalTitle: "Depuis un terminal",
  terminalPush: "Avec le programme de ce site",
  terminalPushHelp: "Il lui faut Node.js 20 ou plus récent. Il prend fichiers, dossiers et l’entrée standard, reprend après une coupure et compare les sommes de contrôle.",
  terminalCurl: "Avec curl seul",
  terminalTrust: "Si une commande ne fait pas confiance au certificat du site, ajoutez --cacert CA ; CA est le fichier de l’autorité de certification du site.",
  withoutScript: "Sans JavaScript, la progression ne se voit pas ; l’envoi fonctionne quand même.",
};

/** The line of one file below the form. */
export const ITEM: Strings["ITEM"] = {
  ready: "Prêt",
  queued: "Attend son tour",
  sending: "Envoi en cours",
  paused: "En pause",
  finishing: "Tout est envoyé, le fichier est classé et vérifié",
  done: "Envoyé",
  cancelled: "Annulé",
  failed: "Non envoyé",
  remove: "Retirer",
  cancel: "Annuler",
  pause: "Suspendre",
  resume: "Reprendre",
  discard: "Abandonner",
  goesOn: (size: string, percent: number) => `${size} · choisissez-le de nouveau, l’envoi reprend à ${percent} %`,
  verified: "identique à celle de cet appareil",
  retry: "Réessayer",
  dismiss: "Masquer",
  progressOf: (name: string) => `Progression de ${name}`,
  actionOn: (action: string, name: string) => `${action} : ${name}`,
  amount: (done: string, total: string, percent: number) => `${done} sur ${total} · ${percent} %`,
  left: (duration: string) => `encore ${duration}`,
  requestId: (id: string) => `Requête ${id}`,
  seeInList: "Voir dans la liste",
  overall: (done: string, total: string) => `${done} sur ${total} envoyés`,
  overallFailed: (failed: string) => `${failed} non envoyés`,
  seeList: "Voir la liste",
};

/** Copy buttons, on both pages. */
export const COPY: Strings["COPY"] = {
  copy: "Copier",
  copied: "Copié",
  failed: "Non copié",
  digest: (algorithm: string, name: string) => `Copier la somme ${algorithm} de ${name}`,
  command: (title: string) => `Copier la commande : ${title}`,
};

/** Read aloud by screen readers as things happen. */
export const LIVE: Strings["LIVE"] = {
  added: (count: number) => (count === 1 ? "1 fichier ajouté" : `${count} fichiers ajoutés`),
  already: (count: number, shown: string) => (count === 1 ? "1 fichier est déjà dans la liste et n’a pas été ajouté de nouveau." : `${shown} fichiers sont déjà dans la liste et n’ont pas été ajoutés de nouveau.`),
  started: (name: string) => `Envoi de ${name}`,
  done: (name: string) => `${name} envoyé`,
  failed: (name: string, message: string) => `${name} n’a pas été envoyé : ${message}`,
  cancelled: (name: string) => `${name} annulé`,
  paused: (name: string) => `${name} en pause`,
  overall: (done: number, failed: number) => `${done} envoyés, ${failed} non envoyés`,
  interrupted: (count: number) => (count === 1 ? "1 envoi interrompu peut reprendre" : `${count} envois interrompus peuvent reprendre`),
  removed: (name: string) => `${name} retiré`,
  copied: "Copié dans le presse-papiers",
};

/** What the browser itself finds wrong; the server's own sentences come with its answers. */
export const PROBLEM: Strings["PROBLEM"] = {
  tooLarge: (size: string, limit: string) => ({
    message: `Le fichier fait ${size} ; ce site accepte jusqu’à ${limit} par fichier.`,
    hint: "Divisez le fichier, ou demandez une limite plus haute à l’administration du site.",
  }),
  folder: (name: string) => ({
    message: `Le navigateur n’a pas pu lire le dossier ${name}.`,
    hint: "Vérifiez que vous pouvez le lire, ou choisissez-le avec le bouton au lieu de le déposer.",
  }),
  mismatch: (here: string, there: string) => ({
    message: `Le fichier arrivé diffère de celui de cet appareil : SHA-256 ${there} là-bas, ${here} ici.`,
    hint: "N’utilisez pas la copie du serveur. Vérifiez qu’aucun programme ne modifie le fichier, puis réessayez ; si cela se répète, prévenez l’administration du site.",
  }),
  unreadable: {
    message: "Le navigateur ne peut plus lire le fichier.",
    hint: "Il a été modifié, déplacé ou supprimé après votre choix, ou c’est un dossier. Masquez-le ici et choisissez-le de nouveau.",
  },
  elsewhere: {
    message: "Ce fichier est en cours d’envoi dans un autre onglet ou une autre fenêtre de ce navigateur.",
    hint: "Laissez-le finir là-bas, ou suspendez-le là-bas et réessayez ici : l’envoi reprend où il en est.",
  },
  offline: {
    message: "Cet appareil est hors ligne.",
    hint: "Vérifiez le réseau, puis réessayez.",
  },
  unreachable: {
    message: "Le serveur est injoignable.",
    hint: "Vérifiez le réseau et que le site fonctionne, puis réessayez.",
  },
  unanswered: {
    message: "La connexion a été fermée avant la réponse du serveur.",
    hint: "Le fichier est peut-être arrivé quand même : regardez la liste avant de réessayer.",
  },
  closed: (done: string, total: string) => ({
    message: `La connexion a été fermée après ${done} sur ${total}.`,
    hint: "Réessayez. Si cela s’arrête encore, le serveur ou un intermédiaire limite peut-être la taille ou la durée : indiquez l’heure et la taille à l’administration du site.",
  }),
  unexpected: (status: number) => ({
    message: `Le serveur a répondu avec le statut ${status}, sous une forme que cette page ne comprend pas.`,
    hint: "Réessayez. Si cela se répète, indiquez l’heure et le statut à l’administration du site.",
  }),
};

/** `GET /list`. */
export const LIST: Strings["LIST"] = {
  title: "Fichiers",
  search: "Rechercher",
  searchHelp: "Nom ou description",
  clear: "Effacer",
  name: "Nom",
  size: "Taille",
  checksum: "Somme de contrôle",
  time: "Envoyé",
  description: "Description",
  caption: (order: string) => `Fichiers envoyés, ${order}`,
  orders: {
    "-time": "les plus récents d’abord",
    time: "les plus anciens d’abord",
    name: "par nom, de A à Z",
    "-name": "par nom, de Z à A",
    "-size": "les plus grands d’abord",
    size: "les plus petits d’abord",
  },
  firstPage: "Première page",
  nextPage: "Page suivante",
  underWay: "En cours",
  since: "depuis le",
  more: (count: string) => `et ${count} de plus`,
  arrived: (count: number, name: string) => (count === 1 ? `Nouveau dans la liste : ${name}` : `${count} nouveaux fichiers dans la liste`),
  stale: "Cette liste n’est pas à jour : le serveur ne répond pas. Il est interrogé de nouveau automatiquement.",
  added: (count: number) => (count === 1 ? "1 fichier envoyé." : `${count} fichiers envoyés.`),
  isNew: "nouveau",
  pending: "en cours de classement",
  empty: "Aucun fichier pour l’instant",
  emptyHint: "Envoyez le premier.",
  nothingFound: (query: string) => `Aucun fichier ne correspond à « ${query} »`,
  nothingFoundHint: "La recherche porte sur les noms et les descriptions.",
  noMore: "Pas de fichiers plus anciens",
  noMoreHint: "La liste se termine ici.",
  showAll: "Montrer tous les fichiers",
  older: "Plus anciens",
  newest: "Plus récents",
  pages: "Pages de la liste",
};

/** Error pages. */
export const ERROR: Strings["ERROR"] = {
  title: (status: number) => `Erreur ${status}`,
  back: "Retour à l’envoi",
  toList: "Liste des fichiers",
  requestId: "Numéro de requête",
  detail: "Le serveur dit lui-même :",
  requestIdHelp: "Indiquez-le à l’administration du site : il figure dans les journaux.",
};
