/* hot/record_format.py: texts of a record; and what the other files need for texts. */

static bool equal(const char *first, const char *second) { return strcmp(first, second) == 0; }

static bool is_among(const char *const *texts, size_t count, const char *text)
{
    for (size_t at = 0; at < count; at++)
        if (equal(text, texts[at]))
            return true;
    return false;
}

/* Three texts in one, in memory of its own. (Each line joins a dozen: printf(3) would be most of what it computes.) */
static char *join(const char *first, const char *second, const char *third)
{
    size_t at = strlen(first), middle = strlen(second), rest = strlen(third) + 1;
    char *text = malloc(at + middle + rest);
    if (text != NULL) {
        memcpy(text, first, at);
        memcpy(text + at, second, middle);
        memcpy(text + at + middle, third, rest);
    }
    return text;
}

static int hexadecimal_value(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    if (digit >= 'A' && digit <= 'F')
        return digit - 'A' + 10;
    if (digit >= 'a' && digit <= 'f')
        return digit - 'a' + 10;
    return -1;
}

/* The text of a percent-encoded word; NULL for a word that the fragment does not write. */
static char *decode(const char *word)
{
    char *text = malloc(strlen(word) + 1), *end = text;
    if (text == NULL)
        return NULL;
    if (equal(word, "-"))
        word = "";
    while (*word != '\0') {
        if (*word != '%') {
            *end++ = *word++;
            continue;
        }
        int high = hexadecimal_value(word[1]);
        int low = high < 0 ? -1 : hexadecimal_value(word[2]);
        if (low < 0 || high + low == 0)
            return NULL;
        *end++ = (char)(high * 16 + low);
        word += 3;
    }
    *end = '\0';
    return text;
}

/* Write a text as one word of printable ASCII; gives the end. The buffer needs three bytes for each one of the text. */
static char *encode(char *end, const char *text)
{
    static const char digits[] = "0123456789ABCDEF";
    if (*text == '\0') {
        *end++ = '-';
        return end;
    }
    bool is_dash = equal(text, "-"); /* a bare "-" means the empty text */
    for (; *text != '\0'; text++) {
        unsigned char byte = (unsigned char)*text;
        if (!is_dash && byte < 0x80 && (isalnum(byte) || strchr(PLAIN_CHARACTERS, byte) != NULL)) {
            *end++ = (char)byte;
        } else {
            *end++ = '%';
            *end++ = digits[byte >> 4];
            *end++ = digits[byte & 15];
        }
    }
    return end;
}

/* The value of a text of decimal digits, -1 for any other text. */
static long parse_number(const char *text, const char *end)
{
    long value = 0;
    if (text == end || end - text > NUMBER_DIGITS_MAX)
        return -1;
    for (; text < end; text++) {
        if (*text < '0' || *text > '9')
            return -1;
        value = value * 10 + (*text - '0');
    }
    return value;
}

/* The values of one line's entry; hot/record_format.py gives their meaning. */
struct line {
    int64_t wall, start, end; /* nanoseconds */
    int status, fate;
    int64_t cpu_us, peak_kib; /* below 0: unknown */
};

/* The entry of one recipe line, and behind it that of what the target needs, if that is known; NULL without memory. */
static char *line_entry(const char *make, const char *target, const char *goal, long level, const struct line *line,
                        const char *needs)
{
    char *text = malloc(2 * strlen(make) + 6 * strlen(target) + 3 * strlen(goal) + strlen(needs) + 256), *end = text;
    if (text == NULL)
        return NULL;
    end += sprintf(end, "L %s ", make);
    end = encode(end, target);
    *end++ = ' ';
    end = encode(end, goal);
    end += sprintf(end, " %ld %lld %lld %lld %d %d", level, (long long)line->wall, (long long)line->start,
                   (long long)line->end, line->status, line->fate);
    if (line->cpu_us >= 0)
        end += sprintf(end, " %lld %lld", (long long)line->cpu_us, (long long)line->peak_kib);
    end += sprintf(end, " ;\n");
    if (*needs != '\0') {
        end += sprintf(end, "P %s ", make);
        end = encode(end, target);
        sprintf(end, " %s ;\n", needs);
    }
    return text;
}
