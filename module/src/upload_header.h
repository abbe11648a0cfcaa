
/*
 * Values of the headers that a form is made of: Content-Type with its
 * boundary (RFC 2046), Content-Disposition (RFC 6266, RFC 7578, RFC 8187).
 * Values are taken apart in place: results point into the text given.
 */

#ifndef UPLOAD_HEADER_H
#define UPLOAD_HEADER_H


#include <stddef.h>


typedef struct {
    unsigned char  *data;      /* NULL: there is none */
    size_t          length;
} upload_text_t;


typedef struct {
    upload_text_t  name;
    upload_text_t  filename;   /* path parts stripped; may be empty */
    int            is_file;    /* a file was chosen, whatever its name */
} upload_disposition_t;


/* Whether the text is the given lower-case word in any case. */
int upload_text_is(const unsigned char *data, size_t length, const char *word);

/* Leaves out white space at both ends, that of Unicode in UTF-8 as well. */
void upload_text_trim(upload_text_t *text);

/*
 * Finds the boundary of a multipart/form-data value.  Returns 0; 1 for another
 * media type; -1 when the boundary is missing, given twice, or another parser
 * might read another one, or the value is malformed.
 */
int upload_content_type_parse(unsigned char *value, size_t length,
    upload_text_t *boundary);

/* Returns 0, or -1 when the value is not a well-formed form-data. */
int upload_disposition_parse(unsigned char *value, size_t length,
    upload_disposition_t *disposition);

/*
 * The same for the header of a request whose body is the file: "attachment"
 * will do, and there need not be a name.
 */
int upload_attachment_parse(unsigned char *value, size_t length,
    upload_disposition_t *disposition);

/*
 * Writes a text with its control characters as %XX; a file name that stands
 * for a directory (".", "..") is escaped as a whole.  Returns the length,
 * 3 * length + 1 at most.
 */
size_t upload_text_escape(unsigned char *out, const unsigned char *data,
    size_t length);

/*
 * As upload_text_escape(), and quotes and backslashes as well: for between
 * the quotes of name="".
 */
size_t upload_name_escape(unsigned char *out, const unsigned char *data,
    size_t length);


#endif
