import type { NginxOptions, Passed } from "./nginx.ts";

/** Field directives of the classic setting. */
export const classicFields = `
      upload_set_form_field $upload_field_name.name "$upload_file_name";
      upload_set_form_field $upload_field_name.content_type "$upload_content_type";
      upload_set_form_field $upload_field_name.path "$upload_tmp_path";
      upload_aggregate_form_field $upload_field_name.size "$upload_file_size";`;

/**
 * A server with `/upload` and the target `@done`.
 * @param directives of the upload location, beside its pass, store and fields
 * @param fields field directives
 */
export function uploadServer(directives = "", fields: string = classicFields): string {
  return `
    location /upload {
      upload_pass @done;
      upload_store %STORE%;
      ${fields}
      ${directives}
    }
    location @done { proxy_pass http://%UPSTREAM%; }`;
}

/** The classic server, whose target answers 200: files stay. */
export function uploadSite(directives = "", more: Partial<NginxOptions> = {}): NginxOptions {
  return { server: uploadServer(directives), keepsFiles: true, ...more };
}

/** Fields of a rewritten body: name and value, as a strict parser reads them. */
export function fieldsOf(passed: Passed | undefined): [string, string][] {
  if (passed === undefined) throw new Error("nothing was passed on");
  const boundary = /boundary="?([^";]+)"?/.exec(passed.headers["content-type"] ?? "")?.[1] ?? "";
  const parts = passed.body.toString("latin1").split(`--${boundary}`);
  if (parts[0] !== "" || parts.at(-1) !== "--\r\n") throw new Error(`not a form: ${passed.body.toString("latin1")}`);
  return parts.slice(1, -1).map((part) => {
    const match = /^\r\nContent-Disposition: form-data; name="([^"]*)"\r\n\r\n([^]*)\r\n$/.exec(part);
    if (match === null) throw new Error(`not a field: ${JSON.stringify(part)}`);
    return [match[1]!, match[2]!];
  });
}

/** The value of the first field with a name. */
export function fieldOf(passed: Passed | undefined, name: string): string | undefined {
  return fieldsOf(passed).find(([field]) => field === name)?.[1];
}
