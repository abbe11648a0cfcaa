
#include "ngx_http_upload.h"


ngx_table_elt_t *
ngx_http_upload_headers_next(ngx_http_upload_headers_t *at, const char *name)
{
    ngx_table_elt_t  *h;

    for ( ;; ) {

        if (at->next == at->part->nelts) {

            if (at->part->next == NULL) {
                return NULL;
            }

            at->part = at->part->next;
            at->next = 0;
            continue;
        }

        h = (ngx_table_elt_t *) at->part->elts + at->next++;

        if (name == NULL || upload_text_is(h->key.data, h->key.len, name)) {
            return h;
        }
    }
}
