/* hot/split_words.py: simple lines. */

static bool is_shell_builtin(const char *word, long make)
{
    return is_among(shell_builtins, COUNT(shell_builtins), word) ||
           (make >= VERSION_NUMBER(3, 82) && is_among(builtins_of_3_82, COUNT(builtins_of_3_82), word)) ||
           (make >= VERSION_NUMBER(4, 3) && is_among(builtins_of_4_3, COUNT(builtins_of_4_3), word));
}

static bool is_blank(char byte) { return byte == ' ' || byte == '\t'; }

/* The words of a line that is simple for a make of this VERSION_NUMBER; NULL for a line that needs a shell, and without
 * memory: the shell then runs the line. */
static char **simple_words(const char *line, long make, bool newline_is_text)
{
    size_t length = strlen(line), count = 0;
    char **words = calloc(length / 2 + 2, sizeof *words);
    char *end = malloc(length + 2), *word = end;
    bool begun = false; /* whether a word has begun; an empty pair of quotes begins one */
    if (words == NULL || end == NULL)
        return NULL;
    while (*line != '\0') {
        char byte = *line++;
        if (is_blank(byte)) {
            if (begun) {
                *end++ = '\0';
                if (count == 0 && is_shell_builtin(word, make))
                    return NULL;
                words[count++] = word;
                word = end;
                begun = false;
            }
        } else if (strchr(SPECIAL_CHARACTERS, byte) != NULL || (byte == '=' && count == 0) ||
                   (byte == '\n' && !newline_is_text)) {
            return NULL;
        } else if (byte == '\'') {
            const char *close = strchr(line, '\'');
            if (close == NULL)
                return NULL;
            memcpy(end, line, (size_t)(close - line));
            end += close - line;
            line = close + 1;
            begun = true;
        } else if (byte != '\\') {
            *end++ = byte;
            begun = true;
        } else if (*line == '\n') {
            line++;
            while (!begun && is_blank(*line))
                line++;
        } else if (*line != '\0') {
            *end++ = *line++;
            begun = true;
        }
    }
    if (begun) {
        *end = '\0';
        words[count++] = word;
    }
    return count == 0 || (count == 1 && is_shell_builtin(words[0], make)) ? NULL : words;
}
