
#include "ngx_http_upload.h"

#include <sys/mman.h>


/*
 * The buffers of a worker.  What an upload gives back is what the next one
 * takes: it is in the processor's cache, and the kernel need not clear it.
 */

/* Bytes that are kept for uploads to come. */
#define NGX_HTTP_UPLOAD_BUFFER_KEPT    (64 * 1024 * 1024)

/* Milliseconds after which what nobody has needed is given to the kernel. */
#define NGX_HTTP_UPLOAD_BUFFER_IDLE    5000

/*
 * Bytes from which on uploads are to hold no buffer for long, and what they
 * have given back makes room for another size.
 */
#define NGX_HTTP_UPLOAD_BUFFER_SCARCE  (12 * 1024 * 1024)

/*
 * Bytes up to which an upload gets more than it asks for: what all then have
 * besides is to stay within what each was promised.
 */
#define NGX_HTTP_UPLOAD_BUFFER_AMPLE   (6 * 1024 * 1024)

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#define ngx_http_upload_buffer_hide(p, size)  ASAN_POISON_MEMORY_REGION(p, size)
#define ngx_http_upload_buffer_show(p, size)                                  \
    ASAN_UNPOISON_MEMORY_REGION(p, size)
#else
#define ngx_http_upload_buffer_hide(p, size)
#define ngx_http_upload_buffer_show(p, size)
#endif


/* Stands at the start of a buffer that nobody has. */

typedef struct {
    ngx_queue_t                 queue;
    size_t                      size;
} ngx_http_upload_spare_t;


static size_t ngx_http_upload_buffer_pages(size_t size);
static void ngx_http_upload_buffer_trim(size_t pages);
static void ngx_http_upload_buffer_free(ngx_http_upload_spare_t *spare);
static void ngx_http_upload_buffer_idle(ngx_event_t *ev);


/* Of this worker: what nobody has, the last that was given first. */
static ngx_queue_t       ngx_http_upload_spares;
static size_t            ngx_http_upload_spare;     /* bytes of them */
static size_t            ngx_http_upload_unneeded;  /* the least of late */
static size_t            ngx_http_upload_taken;     /* bytes uploads have */

static ngx_event_t       ngx_http_upload_idle;
static ngx_connection_t  ngx_http_upload_idle_data; /* as logs expect it */


void
ngx_http_upload_buffer_init(ngx_cycle_t *cycle)
{
    ngx_queue_init(&ngx_http_upload_spares);

    ngx_http_upload_idle_data.fd = (ngx_socket_t) -1;
    ngx_http_upload_idle.handler = ngx_http_upload_buffer_idle;
    ngx_http_upload_idle.data = &ngx_http_upload_idle_data;
    ngx_http_upload_idle.log = cycle->log;
    ngx_http_upload_idle.cancelable = 1;
}


ngx_int_t
ngx_http_upload_buffer_take(ngx_http_upload_buffer_t *buffer, size_t size)
{
    void                     *p;
    size_t                    pages;
    ngx_queue_t              *q;
    ngx_http_upload_spare_t  *spare;

    if (buffer->data) {
        return NGX_OK;
    }

    pages = ngx_http_upload_buffer_pages(size);

    for (q = ngx_queue_head(&ngx_http_upload_spares);
         q != ngx_queue_sentinel(&ngx_http_upload_spares);
         q = ngx_queue_next(q))
    {
        spare = ngx_queue_data(q, ngx_http_upload_spare_t, queue);

        if (spare->size == pages) {
            ngx_queue_remove(q);
            ngx_http_upload_spare -= pages;
            ngx_http_upload_unneeded = ngx_min(ngx_http_upload_unneeded,
                                               ngx_http_upload_spare);
            p = spare;
            goto found;
        }
    }

    ngx_http_upload_buffer_trim(pages);

    p = mmap(NULL, pages, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS,
             -1, 0);
    if (p == MAP_FAILED) {
        return NGX_ERROR;
    }

found:

    ngx_http_upload_buffer_show(p, pages);
    ngx_http_upload_taken += pages;

    buffer->data = p;
    buffer->size = size;

    return NGX_OK;
}


void
ngx_http_upload_buffer_give(ngx_http_upload_buffer_t *buffer)
{
    ngx_http_upload_spare_t  *spare;

    if (buffer->data == NULL) {
        return;
    }

    spare = (ngx_http_upload_spare_t *) buffer->data;
    spare->size = ngx_http_upload_buffer_pages(buffer->size);

    buffer->data = NULL;
    buffer->size = 0;

    ngx_http_upload_taken -= spare->size;

    if (ngx_http_upload_spare + spare->size > NGX_HTTP_UPLOAD_BUFFER_KEPT) {
        (void) munmap(spare, spare->size);
        return;
    }

    ngx_queue_insert_head(&ngx_http_upload_spares, &spare->queue);
    ngx_http_upload_spare += spare->size;

    ngx_http_upload_buffer_hide(spare + 1, spare->size - sizeof(*spare));

    if (!ngx_http_upload_idle.timer_set && !ngx_exiting) {
        ngx_http_upload_unneeded = ngx_http_upload_spare;
        ngx_add_timer(&ngx_http_upload_idle, NGX_HTTP_UPLOAD_BUFFER_IDLE);
    }
}


ngx_uint_t
ngx_http_upload_buffer_ample(void)
{
    return ngx_http_upload_taken < NGX_HTTP_UPLOAD_BUFFER_AMPLE;
}


ngx_uint_t
ngx_http_upload_buffer_scarce(void)
{
    return ngx_http_upload_taken > NGX_HTTP_UPLOAD_BUFFER_SCARCE;
}


static size_t
ngx_http_upload_buffer_pages(size_t size)
{
    return ngx_align(size, ngx_pagesize);
}


/*
 * What nobody has is of other sizes than what is wanted: it goes, those first
 * that have been there for longest, rather than that a worker has both.
 */

static void
ngx_http_upload_buffer_trim(size_t pages)
{
    ngx_queue_t  *q;

    while (ngx_http_upload_spare
           && ngx_http_upload_taken + ngx_http_upload_spare + pages
              > NGX_HTTP_UPLOAD_BUFFER_SCARCE)
    {
        q = ngx_queue_last(&ngx_http_upload_spares);
        ngx_http_upload_buffer_free(ngx_queue_data(q, ngx_http_upload_spare_t,
                                                   queue));
    }

    ngx_http_upload_unneeded = ngx_min(ngx_http_upload_unneeded,
                                       ngx_http_upload_spare);
}


/* Those that have been there for longest are the ones nobody has needed. */

static void
ngx_http_upload_buffer_idle(ngx_event_t *ev)
{
    ngx_http_upload_spare_t  *spare;

    while (ngx_http_upload_unneeded) {

        spare = ngx_queue_data(ngx_queue_last(&ngx_http_upload_spares),
                               ngx_http_upload_spare_t, queue);

        ngx_http_upload_unneeded -= ngx_min(ngx_http_upload_unneeded,
                                            spare->size);
        ngx_http_upload_buffer_free(spare);
    }

    if (ngx_http_upload_spare && !ngx_exiting) {
        ngx_http_upload_unneeded = ngx_http_upload_spare;
        ngx_add_timer(ev, NGX_HTTP_UPLOAD_BUFFER_IDLE);
    }
}


static void
ngx_http_upload_buffer_free(ngx_http_upload_spare_t *spare)
{
    size_t  size;

    size = spare->size;

    ngx_queue_remove(&spare->queue);
    ngx_http_upload_spare -= size;

    ngx_http_upload_buffer_show(spare, size);
    (void) munmap(spare, size);
}
