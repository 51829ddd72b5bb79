/* Any lines as the words of a command line: parsed, and its settings read over a small input. */

#include "fuzz.h"
#include <cli.h>
#include <infoplane/options.h>

enum { MOST_WORDS = 32 };

/* Cut text at its lines; the words end with NULL as those of main do. */
static int cut(char *text, char *word[MOST_WORDS + 2])
{
  static char program[] = "infoplane";
  char *line = text;
  int n = 0;

  word[n++] = program;
  while (line && n <= MOST_WORDS) {
    char *end = strchr(line, '\n');

    if (end) *end++ = '\0';
    word[n++] = line;
    line = end;
  }
  word[n] = NULL;
  return n;
}

static void use(const arguments *a)
{
  static const char yaml[] = "seed: 1\nstudies: [{name: a}, {train.batch: 16}]\n";
  ip_options *options = NULL;
  char *path = NULL;
  ip_text help = {0};

  MUST(a->n_settings + a->n_petsc + a->n_more < (size_t)a->count);
  const PetscErrorCode code =
      ip_options_read("my.yaml", yaml, sizeof yaml - 1, a->n_settings, a->setting, &options);

  MUST(code == PETSC_SUCCESS || code == IP_ERR_CONFIG);
  if (!code) MUST(output_path(a, options, &path) == PETSC_SUCCESS);
  ip_error_clear();
  if (a->operand) MUST(!ip_options_help(a->operand, &help) || help.length == 0);
  ip_text_clear(&help);
  ip_options_destroy(&options);
  ip_release(&path);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
  char *word[MOST_WORDS + 2], *text = malloc(length + 1);
  arguments a = {0};

  MUST(text);
  if (length > 0) memcpy(text, bytes, length);
  text[length] = '\0';
  begin();
  const PetscErrorCode code = arguments_read(cut(text, word), word, &a);

  MUST(code == PETSC_SUCCESS || (code == IP_ERR_USAGE && ip_error_message()[0]));
  if (code == PETSC_SUCCESS) use(&a);
  arguments_clear(&a);
  free(text);
  return 0;
}
