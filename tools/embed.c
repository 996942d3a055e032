/* embed OUT.c [DIR|FILE]...: writes the files, and those of the folders (flat), as the table of
 * src/dashboard/web_assets.h, compressed. Runs on the machine that builds; the same files always
 * give the same output. */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

enum {
    PATH_SIZE = 4096,
    FILES_MAX = 256,
    FILE_SIZE_MAX = 16 << 20,
    GZIP_WINDOW = 15 + 16,
    BYTES_PER_LINE = 20
};

static const struct {
    const char *suffix, *type;
} types[] = {
    {".html", "text/html; charset=utf-8"},
    {".js", "text/javascript; charset=utf-8"},
    {".css", "text/css; charset=utf-8"},
    {".svg", "image/svg+xml"},
    {".json", "application/json"},
    {".webmanifest", "application/manifest+json"},
    {".png", "image/png"},
    {".ico", "image/x-icon"},
    {".woff2", "font/woff2"},
    {".txt", "text/plain; charset=utf-8"},
};

_Noreturn static void die(const char *what, const char *name)
{
    fprintf(stderr, "embed: %s: %s%s%s\n", name, what, errno ? ": " : "",
            errno ? strerror(errno) : "");
    exit(1);
}

static const char *type_of(const char *name)
{
    size_t len = strlen(name);
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        size_t n = strlen(types[i].suffix);
        if (len > n && strcmp(name + len - n, types[i].suffix) == 0) {
            return types[i].type;
        }
    }
    errno = 0;
    die("no content type is known for it (add it to tools/embed.c)", name);
}

static unsigned char *read_file(const char *path, size_t *size)
{
    struct stat st;
    FILE *f = fopen(path, "rb");
    if (f == NULL || fstat(fileno(f), &st) != 0) {
        die("can't be read", path);
    }
    if (st.st_size > FILE_SIZE_MAX) {
        errno = 0;
        die("is larger than a page should be", path);
    }
    *size = (size_t)st.st_size;
    unsigned char *data = malloc(*size + 1);
    if (data == NULL || fread(data, 1, *size, f) != *size) {
        die("can't be read", path);
    }
    fclose(f);
    return data;
}

static unsigned char *compress_gzip(unsigned char *data, size_t size, size_t *gzip_size)
{
    z_stream z = {.next_in = data, .avail_in = (uInt)size};
    if (deflateInit2(&z, Z_BEST_COMPRESSION, Z_DEFLATED, GZIP_WINDOW, 9, Z_DEFAULT_STRATEGY) !=
        Z_OK) {
        die("deflateInit2 failed", "zlib");
    }
    uLong bound = deflateBound(&z, (uLong)size);
    unsigned char *out = malloc(bound);
    if (out == NULL) {
        die("no memory", "zlib");
    }
    z.next_out = out;
    z.avail_out = (uInt)bound;
    if (deflate(&z, Z_FINISH) != Z_STREAM_END) {
        die("deflate failed", "zlib");
    }
    *gzip_size = z.total_out;
    deflateEnd(&z);
    return out;
}

/* FNV-1a, 64 bits: tells versions of a file apart, promises nothing against an attacker. */
static uint64_t hash(const unsigned char *data, size_t size)
{
    uint64_t h = 0xcbf29ce484222325u;
    for (size_t i = 0; i < size; i++) {
        h = (h ^ data[i]) * 0x100000001b3u;
    }
    return h;
}

static const char *name_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* Writes the bytes of file number `index` and returns its line of the table. */
static char *write_file(FILE *out, const char *path, int index)
{
    const char *name = name_of(path);
    size_t size = 0, gzip_size = 0;
    unsigned char *data = read_file(path, &size);
    unsigned char *gzip = compress_gzip(data, size, &gzip_size);
    fprintf(out, "static const unsigned char file_%d[] = {", index);
    for (size_t i = 0; i < gzip_size; i++) {
        fprintf(out, "%s%d,", i % BYTES_PER_LINE == 0 ? "\n" : "", gzip[i]);
    }
    fprintf(out, "\n};\n\n");
    char *row = NULL;
    int n = asprintf(&row, "    {\"%s\", \"%s\", \"\\\"%016" PRIx64 "\\\"\", file_%d, %zu},\n",
                     name, type_of(name), hash(data, size), index, gzip_size);
    if (n < 0) {
        die("no memory", name);
    }
    free(data);
    free(gzip);
    return row;
}

static int is_visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

/* Paths that are embedded, in the order of their names. */
static struct {
    char *v[FILES_MAX];
    int n;
} files;

static void add_file(const char *path)
{
    if (files.n == FILES_MAX || !(files.v[files.n++] = strdup(path))) {
        errno = 0;
        die("one file too many", path);
    }
}

static void add(const char *path)
{
    struct stat st;
    if (stat(path, &st) != 0) {
        die("can't be read", path);
    }
    if (!S_ISDIR(st.st_mode)) {
        add_file(path);
        return;
    }
    struct dirent **entries = NULL;
    int n = scandir(path, &entries, is_visible, alphasort);
    if (n < 0) {
        die("can't be read", path);
    }
    for (int i = 0; i < n; i++) {
        char file[PATH_SIZE];
        snprintf(file, sizeof file, "%s/%s", path, entries[i]->d_name);
        add_file(file);
        free(entries[i]);
    }
    free(entries);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(name_of(*(char *const *)a), name_of(*(char *const *)b));
}

int main(int argc, char **argv)
{
    static char *rows[FILES_MAX];
    if (argc < 2) {
        fprintf(stderr, "usage: embed OUT.c [DIR|FILE]...\n");
        return 2;
    }
    for (int i = 2; i < argc; i++) {
        add(argv[i]);
    }
    qsort(files.v, (size_t)files.n, sizeof files.v[0], by_name);
    FILE *out = fopen(argv[1], "w");
    if (out == NULL) {
        die("can't be written", argv[1]);
    }
    fprintf(out, "/* Written by tools/embed.c. */\n#include \"dashboard/web_assets.h\"\n\n");
    for (int i = 0; i < files.n; i++) {
        rows[i] = write_file(out, files.v[i], i);
        free(files.v[i]);
    }
    fprintf(out, "const struct web_asset web_assets[] = {\n");
    for (int i = 0; i < files.n; i++) {
        fputs(rows[i], out);
        free(rows[i]);
    }
    fprintf(out, "    {0},\n};\n\nconst size_t web_assets_count = %d;\n", files.n);
    if (fclose(out) != 0) {
        die("can't be written", argv[1]);
    }
    return 0;
}
