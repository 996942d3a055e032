/* Runs a fuzz target over kept inputs without libFuzzer: corpus_main PATH..., files or folders. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int run_file(const char *path, size_t size)
{
    FILE *f = fopen(path, "rb");
    /* Exactly as large as the input, so that a sanitizer sees a read past its end. */
    uint8_t *data = malloc(size ? size : 1);
    if (f == NULL || data == NULL || fread(data, 1, size, f) != size) {
        fprintf(stderr, "%s: can't be read\n", path);
        exit(1);
    }
    fclose(f);
    LLVMFuzzerTestOneInput(data, size);
    free(data);
    return 1;
}

static int run_path(const char *path)
{
    struct stat st;
    struct dirent **entries = NULL;
    int ran = 0;
    if (stat(path, &st) != 0) {
        return 0; /* a target without a corpus yet */
    }
    if (S_ISREG(st.st_mode)) {
        return run_file(path, (size_t)st.st_size);
    }
    int count = scandir(path, &entries, NULL, alphasort);
    for (int i = 0; i < count; i++) {
        char inner[4096];
        snprintf(inner, sizeof inner, "%s/%s", path, entries[i]->d_name);
        if (entries[i]->d_name[0] != '.') {
            ran += run_path(inner);
        }
        free(entries[i]);
    }
    free(entries);
    return ran;
}

int main(int argc, char **argv)
{
    int ran = 0;
    for (int i = 1; i < argc; i++) {
        ran += run_path(argv[i]);
    }
    /* No input at all is one input: the empty one. */
    if (ran == 0) {
        LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
    }
    printf("%d inputs ran\n", ran);
    return 0;
}
