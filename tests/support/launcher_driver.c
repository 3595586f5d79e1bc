/* Calls the launcher's pure functions for tests/hot/test_launcher_words.py: reads a request, writes its answer, again.
 *
 * Request and answer are a count and that many texts; a text is a length and that many bytes. Numbers have four bytes
 * in the machine's order. */
#define LAUNCHER_WITHOUT_MAIN
#include "../../shim/make_metrics/hot/launcher.c"

static uint32_t get_number(void)
{
    uint32_t value;
    if (fread(&value, sizeof value, 1, stdin) != 1)
        exit(0);
    return value;
}

static void put_number(size_t value)
{
    uint32_t number = (uint32_t)value;
    fwrite(&number, sizeof number, 1, stdout);
}

static void put(const char *text)
{
    put_number(strlen(text));
    fwrite(text, 1, strlen(text), stdout);
}

static void put_decimal(long value)
{
    char text[32];
    snprintf(text, sizeof text, "%ld", value);
    put(text);
}

static void arguments(int count, char **words)
{
    struct arguments decoded;
    if (!parse_arguments(&decoded, count, words)) {
        put_number(0);
        return;
    }
    put_number(12);
    put(decoded.target);
    put(decoded.goal);
    put_decimal(decoded.level);
    put(decoded.version);
    put(decoded.make);
    put(decoded.of_apple ? "a" : decoded.splits_lines ? "f" : "");
    put(decoded.state);
    put(decoded.environment);
    put(decoded.needs);
    put_decimal(decoded.shell_words);
    put_decimal(decoded.number);
    put(decoded.traced ? "traced" : "");
}

static void simple(const char *line, long make, bool newline_is_text)
{
    char **words = simple_words(line, make, newline_is_text);
    size_t count = 0;
    while (words != NULL && words[count] != NULL)
        count++;
    put_number(count);
    for (size_t at = 0; at < count; at++)
        put(words[at]);
}

static void state_dir(char **words)
{
    struct arguments handed = {.state = words[0]};
    char *directory = find_state_dir(&handed, words + 1);
    put_number(directory != NULL);
    if (directory != NULL)
        put(directory);
}

static void entry(char **words)
{
    struct line line = {atoll(words[4]), atoll(words[5]), atoll(words[6]), atoi(words[7]), atoi(words[8]),
                        atoll(words[9]), atoll(words[10])};
    put_number(1);
    put(line_entry(words[0], words[1], words[2], atol(words[3]), &line, words[11]));
}

static void traceparent_variable(char **words)
{
    char *variable = traceparent_of(words[0], words[1], words[2], words[3]);
    put_number(variable != NULL);
    if (variable != NULL)
        put(variable);
}

int main(void)
{
    for (;;) {
        uint32_t count = get_number();
        char **words = calloc(count + 1, sizeof *words);
        for (uint32_t at = 0; at < count; at++) {
            uint32_t length = get_number();
            words[at] = calloc(length + 1, 1); /* no byte more: a sanitizer then sees a read beyond the text */
            if (length > 0 && fread(words[at], length, 1, stdin) != 1)
                return 1;
        }
        if (equal(words[0], "arguments"))
            arguments((int)count - 1, words + 1);
        else if (equal(words[0], "simple"))
            simple(words[1], atol(words[3]), *words[2] != '\0');
        else if (equal(words[0], "state_dir"))
            state_dir(words + 1);
        else if (equal(words[0], "traceparent"))
            traceparent_variable(words + 1);
        else
            entry(words + 1);
        fflush(stdout);
    }
}
