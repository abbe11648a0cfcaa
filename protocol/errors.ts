/**
 * Every error that a person or a program can be answered with: one row each.
 * The service answers from it, and nginx's static error pages are made from it.
 */

/** One kind of error. */
export interface ErrorKind {
  /** HTTP status (RFC 9110, RFC 4918 for 507, RFC 6585 for 429 and 431, tus for 460). */
  readonly status: number;
  /** What was wrong and what is allowed; one sentence. */
  readonly message: string;
  /** What to do now; one sentence. */
  readonly hint: string;
}

const kinds = {
  bad_request: {
    status: 400,
    message: "The request could not be understood.",
    hint: "Check the address and the program that sent it, then try again.",
  },
  bad_form: {
    status: 400,
    message: "The upload form is damaged or incomplete.",
    hint: "Send a complete multipart/form-data body; if the connection broke off, upload again.",
  },
  bad_header: {
    status: 400,
    message: "A header of the upload request is missing or not well-formed.",
    hint: "Send the headers as the protocol has them.",
  },
  bad_segment: {
    status: 400,
    message: "The headers of this segment of a file are missing, malformed, or do not fit those before it.",
    hint: "Send Session-ID (1 to 128 letters, digits, - and _) and Content-Range: bytes FIRST-LAST/TOTAL, with the TOTAL that the session began with; an attachment in Content-Disposition and digests as in RFC 9530 may come with them.",
  },
  digest_mismatch: {
    status: 400,
    message: "The bytes that arrived differ from the digest that was sent with them, so they were not kept.",
    hint: "Send them again; if it happens again, check the file and its digest.",
  },
  no_file: {
    status: 400,
    message: "The form holds no file.",
    hint: "Choose at least one file, or with curl add -F file=@NAME.",
  },
  bad_query: {
    status: 400,
    message: "A parameter of the address has a value that is not allowed.",
    hint: "Use limit=1 to 200, after=<id of an upload>, q=<at most 200 characters>, sort=time, name or size (with - before it for the other way round) and state=complete or receiving.",
  },
  no_progress_id: {
    status: 400,
    message: "The request does not say which upload it asks about: X-Progress-ID is missing or is no id.",
    hint: "Give X-Progress-ID as the upload had it, as a parameter of the address (/progress?X-Progress-ID=ID) or as a header: 1 to 64 letters, digits, -, ., _ and ~.",
  },
  forbidden: {
    status: 403,
    message: "This request is not allowed here.",
    hint: "Use the public address of the site.",
  },
  upload_final: {
    status: 403,
    message: "This upload is put together from others and takes no bytes of its own.",
    hint: "Ask with HEAD whether it is complete.",
  },
  not_found: {
    status: 404,
    message: "There is nothing at this address.",
    hint: "Check the address, or look for the upload in the list at /list.",
  },
  method_not_allowed: {
    status: 405,
    message: "This address does not take requests with this method.",
    hint: "Upload a form with POST to the upload address, or a file with PUT to an address below it (with curl -T, end the upload address with a slash); read everything else with GET.",
  },
  request_timeout: {
    status: 408,
    message: "The connection was silent for too long, so the upload was given up.",
    hint: "Check the network connection and upload again.",
  },
  wrong_offset: {
    status: 409,
    message: "The bytes do not begin where the upload stands.",
    hint: "Ask for the offset with HEAD and go on from there.",
  },
  taken_over: {
    status: 409,
    message: "Another request writes the same bytes of this upload.",
    hint: "Ask for the offset with HEAD and go on from there.",
  },
  other_length: {
    status: 409,
    message: "The upload was begun with another length.",
    hint: "Send the length that it was begun with, or begin a new upload.",
  },
  upload_expired: {
    status: 410,
    message: "This upload was not finished in time, and what had arrived of it was removed.",
    hint: "Begin a new upload.",
  },
  tus_version: {
    status: 412,
    message: "The header Tus-Resumable does not name a version that this server speaks.",
    hint: "Send Tus-Resumable: 1.0.0.",
  },
  precondition_failed: {
    status: 412,
    message: "The file is not the one that If-Match or If-Unmodified-Since asks for.",
    hint: "Ask without that header, or with the ETag and the date that the file has.",
  },
  upload_gone: {
    status: 409,
    message: "The uploaded file is no longer where it was written, so it was not filed.",
    hint: "Upload the file again.",
  },
  length_required: {
    status: 411,
    message: "The request does not say how long its body is.",
    hint: "Send a Content-Length header or use chunked transfer coding.",
  },
  too_large: {
    status: 413,
    message: "The upload is larger than this site takes.",
    hint: "Upload a smaller file, split it, or ask the operator of the site to raise the limit.",
  },
  beyond_end: {
    status: 413,
    message: "The body goes beyond the end that was announced for the upload.",
    hint: "Ask for the offset with HEAD and send only what is missing, or begin a new upload with the right length.",
  },
  form_too_large: {
    status: 413,
    message: "The text fields of the form are longer than this site takes.",
    hint: "Shorten the description, or send fewer files in one form.",
  },
  uri_too_long: {
    status: 414,
    message: "The address of the request is too long.",
    hint: "Shorten the search text or the address.",
  },
  unsupported_type: {
    status: 415,
    message: "The body is not a form: an upload has the type multipart/form-data.",
    hint: "Send the file as a form, with curl -F file=@NAME, or with PUT to an address below this one, with curl -T NAME and a slash at the end of the address.",
  },
  wrong_body_type: {
    status: 415,
    message: "The body does not have the type that pieces of an upload have.",
    hint: "Send the Content-Type of the protocol: application/offset+octet-stream for tus, application/partial-upload for resumable uploads.",
  },
  bad_range: {
    status: 416,
    message: "The range that was asked for lies outside the file.",
    hint: "Ask for a range inside the file, or for the whole file.",
  },
  segment_length: {
    status: 416,
    message: "The body is not as long as its Content-Range says.",
    hint: "Send exactly the bytes of the range as the body.",
  },
  wrong_host: {
    status: 421,
    message: "This server does not answer to the host name in the request.",
    hint: "Use one of the names of the site, as its operator gave them out.",
  },
  too_many_requests: {
    status: 429,
    message: "Too many requests came from this address.",
    hint: "Wait a minute and try again.",
  },
  headers_too_large: {
    status: 431,
    message: "The headers of the request are too large.",
    hint: "Clear the cookies of this site, or send fewer headers.",
  },
  request_header_too_large: {
    status: 400,
    message: "A header of the request, or its cookies, is too large.",
    hint: "Clear the cookies of this site, or send shorter headers.",
  },
  bad_certificate: {
    status: 400,
    message: "The client certificate was not accepted.",
    hint: "Use a valid certificate that the operator of the site knows.",
  },
  no_certificate: {
    status: 400,
    message: "The site asks for a client certificate and none was sent.",
    hint: "Choose a certificate, or ask the operator of the site for one.",
  },
  https_required: {
    status: 400,
    message: "A plain HTTP request came to the HTTPS port.",
    hint: "Use an address that begins with https://.",
  },
  checksum_mismatch: {
    // Of tus (https://tus.io/protocols/resumable-upload#checksum); no registry has it.
    status: 460,
    message: "The bytes that arrived differ from the checksum in Upload-Checksum, so they were not kept.",
    hint: "Ask for the offset with HEAD, and send the bytes from there on again.",
  },
  internal: {
    status: 500,
    message: "Something went wrong on the server, and it was written to its log.",
    hint: "Try again; if it happens again, give the operator of the site the request id.",
  },
  store_split: {
    status: 500,
    message: "The store of the site is split over two file systems, so the upload could not be filed.",
    hint: "The operator must mount incoming/ and files/ as subfolders of one file system.",
  },
  size_mismatch: {
    status: 500,
    message: "The file in the store does not have the size that was received, so it was not filed.",
    hint: "Upload the file again; if it happens again, give the operator of the site the request id.",
  },
  unsafe_path: {
    status: 500,
    message: "The file in the store is not one that may be filed, so it was left alone.",
    hint: "Give the operator of the site the request id.",
  },
  not_implemented: {
    status: 501,
    message: "This server does not know this method or transfer coding.",
    hint: "Use GET, HEAD or POST.",
  },
  service_down: {
    status: 502,
    message: "The part of the site that files uploads is not answering, so nothing was kept.",
    hint: "Wait a minute and upload again; if it goes on, tell the operator of the site.",
  },
  unavailable: {
    status: 503,
    message: "The site cannot store anything at the moment, so nothing was kept.",
    hint: "Wait a minute and try again; if it goes on, tell the operator of the site.",
  },
  service_slow: {
    status: 504,
    message: "The part of the site that files uploads did not answer in time.",
    hint: "Look in the list at /list whether the upload is there; if not, upload again.",
  },
  disk_full: {
    status: 507,
    message: "The disk of the site is full, so nothing was kept.",
    hint: "Tell the operator of the site, and upload again when there is room.",
  },
} as const satisfies Record<string, ErrorKind>;

/** Stable name of an error, for programs. */
export type ErrorCode = keyof typeof kinds;

/** The table, by code. */
export const errorKinds: Readonly<Record<ErrorCode, ErrorKind>> = kinds;

/** The body of every error answer. */
export interface ErrorBody {
  readonly error: {
    readonly code: ErrorCode;
    readonly status: number;
    readonly message: string;
    readonly hint: string;
    /** Finds the request in the logs; absent in nginx's static pages. */
    readonly requestId?: string;
  };
}

/**
 * The JSON body of an error.
 * @param message replaces the row's sentence by a more exact one
 */
export function errorBody(code: ErrorCode, requestId?: string, message?: string): ErrorBody {
  const kind = errorKinds[code];
  return {
    error: {
      code,
      status: kind.status,
      message: message ?? kind.message,
      hint: kind.hint,
      ...(requestId === undefined ? {} : { requestId }),
    },
  };
}
