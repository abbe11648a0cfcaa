
/* Gives the fuzz target the files named on the command line, without clang. */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


int
main(int argc, char **argv)
{
    int             i;
    FILE           *file;
    size_t          n;
    static uint8_t  input[65536];

    for (i = 1; i < argc; i++) {

        file = fopen(argv[i], "rb");
        if (file == NULL) {
            perror(argv[i]);
            return EXIT_FAILURE;
        }

        n = fread(input, 1, sizeof(input), file);
        (void) fclose(file);

        (void) LLVMFuzzerTestOneInput(input, n);
    }

    printf("%d inputs\n", argc - 1);

    return EXIT_SUCCESS;
}
