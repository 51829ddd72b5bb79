/* infoplane completion: what completes the command line in a shell, written from the tables. */

#include "cli.h"
#include <ctype.h>
#include <string.h>

/* ---- words ---------------------------------------------------------------------------------------- */

static const char *shell_name(size_t i)
{
  static const char *const name[] = {"bash", "zsh", "fish"};

  return i < sizeof name / sizeof name[0] ? name[i] : NULL;
}

/* Each once: names that several tables have occur twice in a list. */
static void print_words(ip_names names, const char *before)
{
  for (size_t i = 0; names(i); i++)
    if (ip_names_find(names, names(i)) == (int)i)
      printf("%s%s", i == 0 ? "" : before, names(i));
}

static const char *switch_word(size_t i)
{
  static const char *const word[] = {"yes", "no"};

  return i < 2 ? word[i] : NULL;
}

/* What a key may be set to, where that is a list; NULL: a number or a text. */
static ip_names words_of(size_t key)
{
  const ip_parameter *row = ip_option_row(key);

  return row->type == IP_SWITCH ? switch_word : row->choice;
}

/* The value itself, where the table has no name for it but the only word there is. */
static const char *word_of(const option_row *row)
{
  return row->value && islower((unsigned char)row->value[0]) ? row->value : NULL;
}

/* Between single quotes. */
static void print_quoted(const char *text)
{
  putchar('\'');
  for (const char *c = text; *c; c++)
    if (*c == '\'')
      fputs("'\\''", stdout);
    else
      putchar(*c);
  putchar('\'');
}

static const char *glob_of(const verb *v)
{
  return verb_takes(v, TAKES_INPUT) ? "yaml" : verb_takes(v, TAKES_RESULTS) ? "h5" : NULL;
}

static ip_names topics_of(const verb *v)
{
  if (v->act == verb_completion) return shell_name;
  if (verb_takes(v, TAKES_TOPIC)) return topic_name;
  return verb_takes(v, TAKES_VARIABLE) ? ip_variable_name : NULL;
}

/* ---- bash ------------------------------------------------------------------------------------------- */

static const char bash_begin[] =
    "_infoplane() {\n"
    "  local IFS=$' \\t\\n' cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}\n"
    "  local verb= key= before= words= files= i\n"
    "  COMPREPLY=()\n"
    "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
    "    [[ ${COMP_WORDS[i]} == -* ]] || { verb=${COMP_WORDS[i]}; break; }\n"
    "  done\n"
    "  # bash takes key=value apart, unless = was taken out of COMP_WORDBREAKS\n"
    "  if [[ $cur == = ]]; then key=$prev cur=\n"
    "  elif [[ $prev == = ]]; then key=${COMP_WORDS[COMP_CWORD-2]}\n"
    "  elif [[ $cur == *=* ]]; then key=${cur%%=*} before=$key= cur=${cur#*=}\n"
    "  fi\n"
    "  if [[ $key ]]; then\n"
    "    case $key in\n";

static const char bash_end[] =
    "  if [[ $files ]]; then\n"
    "    IFS=$'\\n'\n"
    "    compopt -o filenames 2>/dev/null\n"
    "    [[ $files == any ]] && COMPREPLY=($(compgen -f -- \"$cur\")) ||\n"
    "      COMPREPLY=($(compgen -f -X \"!*.$files\" -- \"$cur\") $(compgen -d -- \"$cur\"))\n"
    "    IFS=$' \\t\\n'\n"
    "  fi\n"
    "  COMPREPLY+=($(compgen -P \"$before\" -W \"$words\" -- \"$cur\"))\n"
    "  [[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == *= ]] && compopt -o nospace 2>/dev/null\n"
    "  return 0\n"
    "}\n"
    "complete -F _infoplane infoplane\n";

static void bash_verb(const verb *v)
{
  printf("    %s) words='", v->name);
  if (topics_of(v)) print_words(topics_of(v), " ");
  for (size_t o = 0; option_of(o); o++)
    if (strcmp(option_of(o)->verb, v->name) == 0) printf(" %s", option_of(o)->name);
  if (verb_takes(v, TAKES_OUTPUT)) fputs(" -o", stdout);
  for (size_t key = 0; verb_takes(v, TAKES_KEYS) && ip_option_row(key); key++)
    printf(" %s=", ip_option_name(key));
  printf("'%s%s ;;\n", glob_of(v) ? " files=" : "", glob_of(v) ? glob_of(v) : "");
}

static void print_bash(void)
{
  fputs(bash_begin, stdout);
  for (size_t key = 0; ip_option_row(key); key++) {
    if (!words_of(key)) continue;
    printf("      %s) words='", ip_option_name(key));
    print_words(words_of(key), " ");
    puts("' ;;");
  }
  puts("      *path) files=any ;;\n    esac\n  else case $prev in\n    -o) files=any ;;");
  for (size_t o = 0; option_of(o); o++)
    if (option_of(o)->value)
      printf("    %s) words='%s' ;;\n", option_of(o)->name,
             word_of(option_of(o)) ? word_of(option_of(o)) : "");
  fputs("    *) case $verb in\n    '') words='--help --version ", stdout);
  print_words(verb_name, " ");
  puts("' ;;");
  for (size_t i = 0; verb_row(i); i++) bash_verb(verb_row(i));
  puts("    esac ;;\n  esac fi");
  fputs(bash_end, stdout);
}

/* ---- zsh -------------------------------------------------------------------------------------------- */

static void zsh_verb(const verb *v)
{
  printf("    %s)", v->name);
  if (glob_of(v)) printf(" _files -g '*.%s';", glob_of(v));
  if (topics_of(v)) {
    fputs(" compadd -- ", stdout);
    print_words(topics_of(v), " ");
    putchar(';');
  }
  if (verb_takes(v, TAKES_KEYS)) fputs(" compadd -S '' -- ${^keys}=;", stdout);
  for (size_t o = 0; option_of(o); o++)
    if (strcmp(option_of(o)->verb, v->name) == 0) printf(" compadd -- %s;", option_of(o)->name);
  puts(verb_takes(v, TAKES_OUTPUT) ? " compadd -- -o ;;" : " ;;");
}

static void print_zsh(void)
{
  fputs("_infoplane() {\n  local -a verbs keys before\n  verbs=(\n", stdout);
  for (size_t i = 0; verb_row(i); i++) {
    ip_text line = {0};

    if (ip_text_add(&line, "%s:%s", verb_row(i)->name, verb_row(i)->sentence)) continue;
    fputs("    ", stdout);
    print_quoted(line.text);
    putchar('\n');
    ip_text_clear(&line);
  }
  fputs("  )\n  keys=(", stdout);
  print_words(ip_option_name, " ");
  puts(")\n"
       "  before=(${words[2,CURRENT-1]:#-*})\n"
       "  if [[ $PREFIX == *=* ]]; then\n"
       "    local key=${PREFIX%%=*}\n"
       "    compset -P '*='\n"
       "    case $key in");
  for (size_t key = 0; ip_option_row(key); key++) {
    if (!words_of(key)) continue;
    printf("      %s) compadd -- ", ip_option_name(key));
    print_words(words_of(key), " ");
    puts(" ;;");
  }
  puts("      *path) _files ;;\n    esac\n    return\n  fi\n"
       "  case ${words[CURRENT-1]} in\n    -o) _files; return ;;");
  for (size_t o = 0; option_of(o); o++)
    if (option_of(o)->value)
      printf("    %s) compadd -- %s; return ;;\n", option_of(o)->name,
             word_of(option_of(o)) ? word_of(option_of(o)) : "");
  puts("  esac\n  case ${before[1]} in\n    '') _describe -t verbs verb verbs; compadd -- "
       "--help "
       "--version ;;");
  for (size_t i = 0; verb_row(i); i++) zsh_verb(verb_row(i));
  puts("  esac\n}\nif [[ $funcstack[1] == _infoplane ]]; then _infoplane \"$@\"; else compdef "
       "_infoplane infoplane; fi");
}

/* ---- fish ------------------------------------------------------------------------------------------- */

static void fish_rule(const char *verbs)
{
  printf("complete -c infoplane -n '__fish_seen_subcommand_from %s' ", verbs);
}

static void fish_verb(const verb *v)
{
  fputs("complete -c infoplane -n __fish_use_subcommand -a ", stdout);
  printf("%s -d ", v->name);
  print_quoted(v->sentence);
  putchar('\n');
  if (glob_of(v)) {
    fish_rule(v->name);
    printf("-a '(__fish_complete_suffix .%s)'\n", glob_of(v));
  }
  if (topics_of(v)) {
    fish_rule(v->name);
    fputs("-a '", stdout);
    print_words(topics_of(v), " ");
    puts("'");
  }
  for (size_t o = 0; option_of(o); o++) {
    const option_row *row = option_of(o);

    if (strcmp(row->verb, v->name) != 0) continue;
    fish_rule(v->name);
    printf("-l %s %s", row->name + 2, row->value ? "-x " : "");
    if (word_of(row)) printf("-a %s ", word_of(row));
    fputs("-d ", stdout);
    print_quoted(row->sentence);
    putchar('\n');
  }
  if (!verb_takes(v, TAKES_OUTPUT)) return;
  fish_rule(v->name);
  puts("-s o -r -F -d 'where the results go'");
}

static void fish_keys(const char *verbs)
{
  for (size_t key = 0; ip_option_row(key); key++) {
    const ip_names words = words_of(key);

    for (size_t w = 0; w == 0 || (words && words(w)); w++) {
      fish_rule(verbs);
      printf("-a '%s=%s' -d ", ip_option_name(key), words ? words(w) : "");
      print_quoted(ip_option_row(key)->sentence);
      putchar('\n');
    }
  }
}

static void print_fish(void)
{
  ip_text verbs = {0};

  puts("complete -c infoplane -f\n"
       "complete -c infoplane -n __fish_use_subcommand -l help -d 'help'\n"
       "complete -c infoplane -n __fish_use_subcommand -l version -d 'versions of everything'");
  for (size_t i = 0; verb_row(i); i++) {
    fish_verb(verb_row(i));
    if (verb_takes(verb_row(i), TAKES_KEYS))
      (void)ip_text_add(&verbs, "%s%s", verbs.length ? " " : "", verb_row(i)->name);
  }
  if (verbs.text) fish_keys(verbs.text);
  ip_text_clear(&verbs);
}

/* ---- front door --------------------------------------------------------------------------------------- */

static PetscErrorCode print(const char *shell)
{
  static void (*const write[])(void) = {print_bash, print_zsh, print_fish};
  const int found = shell ? ip_names_find(shell_name, shell) : -1;

  IP_CHECK(found >= 0, IP_ERR_USAGE,
           "%s%s%scompletion is written for bash, zsh and fish: infoplane completion bash",
           shell ? "\"" : "", shell ? shell : "", shell ? "\" is none of these shells: " : "");
  if (write[found] == print_zsh) puts("#compdef infoplane");
  printf("# Completion of infoplane, written by: infoplane completion %s\n", shell);
  write[found]();
  return PETSC_SUCCESS;
}

int verb_completion(const arguments *a)
{
  const PetscErrorCode code = print(a->operand);

  return code == PETSC_SUCCESS ? 0 : report_error(a, code);
}
