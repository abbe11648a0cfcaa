/** Every sentence of the pages, by the place where it shows; the other languages have the same, by the same names. */

/** Head and foot of every page. */
export const FRAME = {
  navigation: "Pages",
  upload: "Upload",
  files: "Files",
  skip: "Skip to the content",
  language: "Language",
} as const;

/** `GET /`. */
export const HOME = {
  title: "Upload files",
  lead: "Files go straight to this server, are checked on the way and then listed.",
  limit: (size: string) => `Up to ${size} a file.`,
  choose: "Choose files",
  orDrop: "or drop files and folders here",
  chooseFolder: "Choose a folder",
  dropNow: "Drop to add",
  description: "Description",
  optional: "optional",
  descriptionHelp: "Kept with every file of this upload.",
  submit: "Upload",
  submitCount: (count: number, shown: string) => (count === 1 ? "Upload 1 file" : `Upload ${shown} files`),
  interruptedTitle: "Interrupted uploads",
  interruptedHelp: "Choose the same file again: it goes on from where it stopped.",
  queueTitle: "Your files",
  terminalTitle: "From a terminal",
  terminalPush: "With the client of this site",
  terminalPushHelp: "It needs Node.js 20 or later. It takes files, folders and standard input, goes on after a cut, and compares checksums.",
  terminalCurl: "With curl alone",
  terminalTrust: "If a command does not trust the site’s certificate, add --cacert CA to it; CA is the file of the site’s certificate authority.",
  withoutScript: "Without JavaScript there is no progress to see; the upload works all the same.",
} as const;

/** The line of one file below the form. */
export const ITEM = {
  ready: "Ready",
  queued: "Waiting for its turn",
  sending: "Uploading",
  paused: "Paused",
  finishing: "All bytes sent, the file is being filed and checked",
  done: "Uploaded",
  cancelled: "Cancelled",
  failed: "Not uploaded",
  remove: "Remove",
  cancel: "Cancel",
  pause: "Pause",
  resume: "Resume",
  discard: "Discard",
  goesOn: (size: string, percent: number) => `${size} · choose it again, it goes on from ${percent}%`,
  verified: "the same as on this device",
  retry: "Retry",
  dismiss: "Dismiss",
  progressOf: (name: string) => `Progress of ${name}`,
  actionOn: (action: string, name: string) => `${action} ${name}`,
  amount: (done: string, total: string, percent: number) => `${done} of ${total} · ${percent}%`,
  left: (duration: string) => `${duration} left`,
  requestId: (id: string) => `Request ${id}`,
  seeInList: "See it in the list",
  overall: (done: string, total: string) => `${done} of ${total} uploaded`,
  overallFailed: (failed: string) => `${failed} not uploaded`,
  seeList: "See the list",
} as const;

/** Copy buttons, on both pages. */
export const COPY = {
  copy: "Copy",
  copied: "Copied",
  failed: "Not copied",
  digest: (algorithm: string, name: string) => `Copy the ${algorithm} of ${name}`,
  command: (title: string) => `Copy the command: ${title}`,
} as const;

/** Read aloud by screen readers as things happen. */
export const LIVE = {
  added: (count: number) => (count === 1 ? "1 file added" : `${count} files added`),
  already: (count: number, shown: string) => (count === 1 ? "1 file is in the list already and was not added again." : `${shown} files are in the list already and were not added again.`),
  started: (name: string) => `Uploading ${name}`,
  done: (name: string) => `${name} uploaded`,
  failed: (name: string, message: string) => `${name} was not uploaded: ${message}`,
  cancelled: (name: string) => `${name} cancelled`,
  paused: (name: string) => `${name} paused`,
  overall: (done: number, failed: number) => `${done} uploaded, ${failed} not uploaded`,
  interrupted: (count: number) => (count === 1 ? "1 interrupted upload can go on" : `${count} interrupted uploads can go on`),
  removed: (name: string) => `${name} removed`,
  copied: "Copied to the clipboard",
} as const;

/** What the browser itself finds wrong; the server's own sentences come with its answers. */
export const PROBLEM = {
  tooLarge: (size: string, limit: string) => ({
    message: `The file has ${size}; this site takes up to ${limit} a file.`,
    hint: "Split the file, or ask the site's administrator for a higher limit.",
  }),
  folder: (name: string) => ({
    message: `The browser could not read the folder ${name}.`,
    hint: "Check that you may read it, or choose it with the button instead of dropping it.",
  }),
  mismatch: (here: string, there: string) => ({
    message: `The file that arrived differs from the one on this device: SHA-256 ${there} there, ${here} here.`,
    hint: "Do not use the copy on the server. Check that no program changes the file, then retry; if it happens again, tell the site's administrator.",
  }),
  unreadable: {
    message: "The browser can no longer read the file.",
    hint: "It was changed, moved or removed after you chose it, or it is a folder. Dismiss it here and choose it again.",
  },
  elsewhere: {
    message: "This file is being uploaded in another tab or window of this browser.",
    hint: "Let it finish there, or pause it there and retry here: it goes on from where it stands.",
  },
  offline: {
    message: "This device is offline.",
    hint: "Check the network, then retry.",
  },
  unreachable: {
    message: "The server could not be reached.",
    hint: "Check the network and that the site is up, then retry.",
  },
  /** All bytes were sent, so the server may have filed them. */
  unanswered: {
    message: "The connection was closed before the server answered.",
    hint: "The file may have arrived all the same: look at the list before you retry.",
  },
  closed: (done: string, total: string) => ({
    message: `The connection was closed after ${done} of ${total}.`,
    hint: "Retry. If it stops again, the server or something between may limit size or time: tell the site's administrator the time and the file's size.",
  }),
  unexpected: (status: number) => ({
    message: `The server answered with status ${status}, and not in a form that this page understands.`,
    hint: "Retry. If it happens again, tell the site's administrator the time and the status.",
  }),
} as const;

/** `GET /list`. */
export const LIST = {
  title: "Files",
  search: "Search",
  searchHelp: "Name or description",
  clear: "Clear",
  name: "Name",
  size: "Size",
  checksum: "Checksum",
  time: "Uploaded",
  description: "Description",
  caption: (order: string) => `Uploaded files, ${order}`,
  orders: {
    "-time": "newest first",
    time: "oldest first",
    name: "by name, A to Z",
    "-name": "by name, Z to A",
    "-size": "largest first",
    size: "smallest first",
  },
  firstPage: "First page",
  nextPage: "Next page",
  underWay: "Under way",
  since: "since",
  more: (count: string) => `and ${count} more`,
  /** Said when files came while the page is open. */
  arrived: (count: number, name: string) => (count === 1 ? `New in the list: ${name}` : `${count} new files in the list`),
  stale: "This list is not up to date: the server does not answer. It is asked again by itself.",
  added: (count: number) => (count === 1 ? "1 file uploaded." : `${count} files uploaded.`),
  isNew: "new",
  pending: "being filed",
  empty: "No files yet",
  emptyHint: "Upload the first one.",
  nothingFound: (query: string) => `No file matches “${query}”`,
  nothingFoundHint: "Search looks at names and descriptions.",
  noMore: "No older files",
  noMoreHint: "This is past the end of the list.",
  showAll: "Show all files",
  older: "Older",
  newest: "Newest",
  pages: "Pages of the list",
} as const;

/** Error pages. */
export const ERROR = {
  title: (status: number) => `Error ${status}`,
  back: "Back to the upload page",
  toList: "List of files",
  requestId: "Request id",
  detail: "The server’s own words:",
  requestIdHelp: "Quote it when you ask the site's administrator: it is in the logs.",
} as const;
