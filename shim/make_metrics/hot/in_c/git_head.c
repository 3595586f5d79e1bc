/* project/git_head.py: what is checked out where a make runs. What is damaged or unusual is left to Python. */

struct head {
    const char *repository, *commit, *branch;
};

static bool is_hexadecimal(const char *text) { return text[strspn(text, "0123456789abcdef")] == '\0'; }

/* The text without the blanks around it, in place. */
static char *strip(char *text)
{
    text += strspn(text, BLANKS);
    size_t length = strlen(text);
    while (length > 0 && strchr(BLANKS, text[length - 1]) != NULL)
        length--;
    text[length] = '\0';
    if (length > 0 && ((unsigned char)text[0] >= 0x80 || (unsigned char)text[length - 1] >= 0x80))
        return odd_text(); /* maybe a blank for Python */
    return text;
}

/* The start of a small file, without the blanks around it. */
static char *git_text(const char *path)
{
    size_t length;
    struct stat status;
    char *text = read_regular(path, GIT_FILE_BYTES, 0, &length, &status);
    return text == NULL || strlen(text) != length ? odd_text() : strip(text);
}

/* The commit of a reference in the file of packed references; empty if it is not there. */
static const char *packed_reference(const char *path, const char *reference)
{
    size_t length;
    struct stat status;
    if (!exists(path))
        return "";
    char *text = read_regular(path, GIT_PACKED_BYTES, 0, &length, &status), *wanted = join(" ", reference, "\n");
    if (text == NULL || wanted == NULL || status.st_size >= GIT_PACKED_BYTES)
        return odd_text();
    char *found = memmem(text, length, wanted, strlen(wanted)), *start = found;
    if (found == NULL)
        return "";
    while (start > text && start[-1] != '\n')
        start--;
    *found = '\0';
    if (!is_hexadecimal(start))
        return odd_text();
    return start;
}

/* What a reference holds: a commit, or `ref:` and another reference; empty if there is none. */
static const char *git_reference(const char *git, const char *common, const char *reference)
{
    const char *const folders[] = {git, common};
    for (size_t at = 0; at < COUNT(folders); at++) {
        if (at == 1 && equal(git, common))
            break;
        char *path = join_path(folders[at], reference), byte;
        if (path == NULL || readlink(path, &byte, 1) >= 0)
            return odd_text(); /* a link: how old versions of git write symbolic references */
        if (exists(path) && kind_of(path) != S_IFDIR)
            return git_text(path);
        if (equal(reference, "HEAD"))
            return "";
    }
    char *packed = join_path(common, "packed-refs");
    return packed == NULL ? odd_text() : packed_reference(packed, reference);
}

static struct head resolve_head(const char *root, const char *git)
{
    struct head head = {root, "", ""};
    const char *reference = "HEAD", *common = git;
    char *path = join_path(git, "commondir");
    if (path != NULL && kind_of(path) == S_IFREG) {
        const char *text = git_text(path);
        common = text == NULL ? NULL : join_path(git, text);
    }
    for (int depth = 0; depth <= GIT_SYMBOLIC_DEPTH && common != NULL; depth++) {
        const char *value = git_reference(git, common, reference);
        if (value == NULL)
            return head;
        if (!starts_with(value, "ref:")) {
            head.commit = is_hexadecimal(value) ? value : "";
            if (!equal(reference, "HEAD"))
                head.branch = starts_with(reference, "refs/heads/") ? reference + strlen("refs/heads/") : reference;
            return head;
        }
        char *target = join(value + strlen("ref:"), "", "");
        reference = target == NULL ? NULL : strip(target);
        if (reference == NULL || !starts_with(reference, "refs/") || strstr(reference, "..") != NULL ||
            equal(reference, "refs/heads/.invalid")) /* what HEAD names where references are in tables */
            return head;
    }
    return head;
}

/* What is checked out in the repository that holds a directory. */
static struct head read_head(const char *directory)
{
    char *folder = join(directory, "", "");
    do {
        char *git = folder == NULL ? NULL : join_path(folder, ".git");
        if (git == NULL)
            _exit(127);
        mode_t kind = kind_of(git);
        if (kind == S_IFREG) { /* a linked work tree or a submodule */
            char *text = git_text(git);
            text = text == NULL ? NULL : strip(starts_with(text, "gitdir:") ? text + strlen("gitdir:") : text);
            git = text == NULL ? NULL : join_path(folder, text);
        }
        if (git != NULL && (kind == S_IFREG || kind == S_IFDIR))
            return resolve_head(folder, git);
        if (git == NULL)
            break;
    } while (to_parent(folder));
    return (struct head){"", "", ""};
}
