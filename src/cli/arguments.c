/* What was typed: a verb, an operand, key=value, and a handful of switches. */

#include "cli.h"
#include <string.h>

static const char *switch_name(size_t i)
{
  static const char *const name[] = {"-o", "-q", "-v", "--help", "--version"};

  return i < sizeof name / sizeof name[0] ? name[i] : NULL;
}

static bool begins_with(const char *text, const char *start)
{
  return strncmp(text, start, strlen(start)) == 0;
}

/* A switch at argv[*i]; *i moves past what belongs to it. */
static PetscErrorCode read_switch(int argc, char **argv, int *i, arguments *a)
{
  const char *text = argv[*i], *near = ip_names_nearest(switch_name, text);

  if (strcmp(text, "-o") == 0) {
    IP_CHECK(*i + 1 < argc, IP_ERR_USAGE, "-o needs the name of a file");
    IP_CHECK(!a->output, IP_ERR_USAGE, "-o is given twice");
    a->output = argv[++*i];
  } else if (begins_with(text, "-petsc_")) {
    a->petsc[a->n_petsc++] = text;
    /* a word before the input file could be the input file itself */
    if (a->operand && *i + 1 < argc && argv[*i + 1][0] != '-' && !strchr(argv[*i + 1], '='))
      a->petsc[a->n_petsc++] = argv[++*i];
  } else if (strcmp(text, "-q") == 0)
    a->quiet = true;
  else if (strcmp(text, "-v") == 0)
    a->verbose = true;
  else if (strcmp(text, "--help") == 0 || strcmp(text, "-h") == 0)
    a->help = true;
  else if (strcmp(text, "--version") == 0)
    a->version = true;
  else
    IP_CHECK(false, IP_ERR_USAGE, "unknown switch \"%s\".%s%s%s", text,
             near ? " Did you mean \"" : " Try: infoplane help", near ? near : "",
             near ? "\"?" : "");
  return PETSC_SUCCESS;
}

static void read_word(const char *text, arguments *a)
{
  if (!a->verb)
    a->verb = text;
  else if (strchr(text, '=') && a->operand)
    a->setting[a->n_settings++] = text;
  else if (a->operand)
    a->more[a->n_more++] = text;
  else
    a->operand = text;
}

/* Names of files are shown in messages, where a newline could pass for a line of ours. */
static PetscErrorCode check_name(const char *text)
{
  for (const unsigned char *c = (const unsigned char *)text; c && *c; c++)
    IP_CHECK(*c >= 0x20 && *c != 0x7f, IP_ERR_USAGE,
             "the name of a file has the control character \\x%02x: give it another name",
             (unsigned)*c);
  return PETSC_SUCCESS;
}

PetscErrorCode arguments_read(int argc, char **argv, arguments *a)
{
  a->program = argc > 0 ? argv[0] : "infoplane";
  a->count = argc;
  a->text = argv;
  PetscCall(IP_ALLOCATE((size_t)argc + 1, &a->setting));
  PetscCall(IP_ALLOCATE((size_t)argc + 1, &a->petsc));
  PetscCall(IP_ALLOCATE((size_t)argc + 1, &a->more));
  for (int i = 1; i < argc; i++) {
    if (argv[i][0] == '-' && argv[i][1] != '\0')
      PetscCall(read_switch(argc, argv, &i, a));
    else
      read_word(argv[i], a);
  }
  PetscCall(check_name(a->operand));
  for (size_t i = 0; i < a->n_more; i++) PetscCall(check_name(a->more[i]));
  return check_name(a->output);
}

void arguments_clear(arguments *a)
{
  ip_release(&a->setting);
  ip_release(&a->petsc);
  ip_release(&a->more);
}
