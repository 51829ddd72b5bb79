/* How fast a machine is, kept per host: ${XDG_CACHE_HOME:-~/.cache}/infoplane/<host>.yaml.

   Lines of `key: value`, the rates below `seconds:` one step in; what follows # is for people.  A file that
   does not fit is not used, and why is said; nothing of it can do more than a wrong prediction. */

#include "cli.h"
#include <errno.h>
#include <fcntl.h>
#include <infoplane_build.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { LARGEST = 1 << 16, MISSING = -1 }; /* bytes of such a file */

/* ---- this machine --------------------------------------------------------------------------------- */

/* "AMD EPYC 7B13 64-Core Processor"; "unknown" where Linux does not say. */
static void name_cpu(char text[128])
{
  FILE *from = fopen("/proc/cpuinfo", "re");
  char line[256];

  snprintf(text, 128, "unknown");
  while (from && fgets(line, sizeof line, from)) {
    const char *colon = strchr(line, ':');

    if (!colon || strncmp(line, "model name", 10) != 0) continue;
    line[strcspn(line, "\n")] = '\0';
    snprintf(text, 128, "%.*s", 127, colon + 1 + strspn(colon + 1, " "));
    break;
  }
  if (from) fclose(from);
}

void calibration_begin(calibration *c)
{
  const time_t seconds = time(NULL);
  struct tm utc;

  *c = (calibration){.rates = ip_rates_default(), .ranks = 1};
  if (gethostname(c->host, sizeof c->host - 1) != 0 || !c->host[0])
    snprintf(c->host, sizeof c->host, "localhost");
  name_cpu(c->cpu);
  snprintf(c->build, sizeof c->build, "%s", IP_MODEL);
  if (gmtime_r(&seconds, &utc)) strftime(c->date, sizeof c->date, "%Y-%m-%dT%H:%M:%SZ", &utc);
}

void calibration_clear(calibration *c)
{
  ip_text_clear(&c->remark);
}

/* ---- where it is kept -------------------------------------------------------------------------------- */

/* The folder of caches: absolute, as the standard wants it. */
static PetscErrorCode cache_folder(ip_text *path)
{
  const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");

  if (cache && cache[0] == '/') return ip_text_add(path, "%s", cache);
  IP_CHECK(
      home && home[0] == '/', IP_ERR_ENVIRONMENT,
      "there is no HOME to keep the speeds of this machine in: set XDG_CACHE_HOME to a folder");
  return ip_text_add(path, "%s/.cache", home);
}

/* A name that is no path. */
static PetscErrorCode kept_at(const char *folder, const char *host, ip_text *path)
{
  static const char plain[] =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";

  PetscCall(ip_text_add(path, "%s/infoplane/", folder));
  for (const char *c = host; *c; c++)
    PetscCall(
        ip_text_add(path, "%c", strchr(plain, *c) && !(c == host && *c == '.') ? *c : '_'));
  return ip_text_add(path, ".yaml");
}

static PetscErrorCode path_of(const char *host, ip_text *path)
{
  ip_text folder = {0};
  PetscErrorCode code = cache_folder(&folder);

  if (!code) code = kept_at(folder.text, host, path);
  ip_text_clear(&folder);
  return code;
}

/* ---- writing ------------------------------------------------------------------------------------------- */

static PetscErrorCode compose(const calibration *c, ip_text *text)
{
  PetscCall(ip_text_add(text, "# How fast this machine is: infoplane plan --calibrate\n"));
  PetscCall(ip_text_add(text, "host: %s\ncpu: %s\nbuild: %s\ndate: %s\n", c->host, c->cpu,
                        c->build, c->date));
  PetscCall(ip_text_add(text, "ranks: %d    # busy at the same time\n", c->ranks));
  PetscCall(
      ip_text_add(text, "error: %.3g    # typical relative error of the fit\n", c->error));
  PetscCall(ip_text_add(text, "seconds:\n"));
  for (size_t i = 0; i < IP_COSTS; i++)
    PetscCall(ip_text_add(text, "  %s: %.6g    # %s\n", ip_cost_name(i), c->rates.second[i],
                          ip_cost_sentence(i)));
  return PETSC_SUCCESS;
}

/* The last two folders of path may be missing. */
static PetscErrorCode make_folders(const char *path)
{
  char *folder = NULL, *above = NULL;

  PetscCall(ip_file_folder(path, &folder));

  PetscErrorCode code = ip_file_folder(folder, &above);

  if (!code && mkdir(above, 0777) != 0 && errno != EEXIST)
    code = ip_error_raise(IP_ERR_CREATE, __func__, "%s cannot be created: %s", above,
                          strerror(errno));
  if (!code && mkdir(folder, 0777) != 0 && errno != EEXIST)
    code = ip_error_raise(IP_ERR_CREATE, __func__, "%s cannot be created: %s", folder,
                          strerror(errno));
  ip_release(&folder);
  ip_release(&above);
  return code;
}

static PetscErrorCode write_new(const char *partial, const ip_text *text)
{
  unlink(partial); /* left over from a killed one */

  const int file = ip_file_open(partial, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW);

  IP_CHECK(file >= 0, IP_ERR_CREATE, "%s cannot be created: %s", partial, strerror(errno));

  PetscErrorCode code = ip_file_write(file, partial, text->text, text->length, 0);

  if (!code) code = ip_file_sync(file, partial);
  close(file);
  return code;
}

PetscErrorCode calibration_place(const calibration *c, char **path)
{
  ip_text to = {0};
  PetscErrorCode code = path_of(c->host, &to);

  if (!code) code = make_folders(to.text);
  if (code)
    ip_text_clear(&to);
  else
    *path = to.text;
  return code;
}

PetscErrorCode calibration_write(const calibration *c, const char *path)
{
  ip_text text = {0}, partial = {0};
  PetscErrorCode code = ip_text_add(&partial, "%s.%ld.partial", path, (long)getpid());

  if (!code) code = compose(c, &text);
  if (!code) code = write_new(partial.text, &text);
  if (!code) code = ip_file_publish(partial.text, path, true);
  if (code && partial.text) unlink(partial.text);
  ip_text_clear(&text);
  ip_text_clear(&partial);
  return code;
}

/* ---- reading --------------------------------------------------------------------------------------------- */

static PetscErrorCode read_text(const char *path, char **text, bool *there)
{
  const int file = ip_file_open(path, O_RDONLY);
  struct stat about = {0};
  PetscErrorCode code = PETSC_SUCCESS;

  *there = file >= 0;
  if (file < 0) return PETSC_SUCCESS;
  if (fstat(file, &about) != 0 || !S_ISREG(about.st_mode) || about.st_size > LARGEST)
    about.st_size = 0; /* nothing that we have written */
  if (!code) code = IP_ALLOCATE((size_t)about.st_size + 1, text);
  if (!code) code = ip_file_read(file, path, *text, (size_t)about.st_size, 0);
  close(file);
  return code;
}

/* A number that is finite and not negative; -1 else. */
static double number(const char *text)
{
  char *end = NULL;
  const double value = strtod(text, &end);

  return end != text && *end == '\0' && isfinite(value) && value >= 0.0 ? value : -1.0;
}

/* A line outside the rates; what is not known is of another version, and no matter. */
static bool use_fact(const char *key, const char *value, calibration *c)
{
  const struct {
    const char *key;
    char *to;
    size_t room;
  } text[] = {
      {"host",  c->host,  sizeof c->host },
      {"cpu",   c->cpu,   sizeof c->cpu  },
      {"build", c->build, sizeof c->build},
      {"date",  c->date,  sizeof c->date }
  };

  for (size_t i = 0; i < sizeof text / sizeof text[0]; i++)
    if (strcmp(key, text[i].key) == 0)
      snprintf(text[i].to, text[i].room, "%.*s", (int)text[i].room - 1, value);
  if (strcmp(key, "ranks") == 0) c->ranks = (int)fmin(number(value), 1e9);
  if (strcmp(key, "error") == 0) c->error = number(value);
  return c->ranks > 0 && c->error >= 0.0;
}

static bool use_rate(const char *key, const char *value, bool seen[IP_COSTS], calibration *c)
{
  const int i = ip_names_find(ip_cost_name, key);
  const double rate = number(value);

  if (i < 0 || rate < 0.0) return false;
  c->rates.second[i] = rate;
  seen[i] = true;
  return true;
}

/* One line, without comment and spaces at its end.  false: it cannot be. */
static bool use_line(char *line, bool seen[IP_COSTS], calibration *c)
{
  char *key = line + strspn(line, " "), *value = strchr(key, ':');

  if (!*key) return true;
  if (!value) return false;
  *value++ = '\0';
  value += strspn(value, " ");
  return key > line ? use_rate(key, value, seen, c) : use_fact(key, value, c);
}

/* 0, or the number of the line that cannot be; MISSING: a rate is not there. */
static int parse(char *text, calibration *c)
{
  bool seen[IP_COSTS] = {false};
  int line = 1;

  for (char *at = text; at; line++) {
    char *end = strchr(at, '\n'), *comment;

    if (end) *end = '\0';
    comment = at[0] == '#' ? at : strstr(at, " #");
    if (comment) *comment = '\0';
    for (size_t n = strlen(at); n > 0 && at[n - 1] == ' '; n--) at[n - 1] = '\0';
    if (!use_line(at, seen, c)) return line;
    at = end ? end + 1 : NULL;
  }
  for (size_t i = 0; i < IP_COSTS; i++)
    if (!seen[i]) return MISSING;
  return 0;
}

static PetscErrorCode judge(const calibration *here, const char *path, bool named, int bad,
                            calibration *c)
{
  static const char again[] = "infoplane plan --calibrate measures this machine";

  if (bad == MISSING)
    return ip_text_add(&c->remark, "not calibrated: %s is of another version, or damaged; %s",
                       path, again);
  if (bad > 0)
    return ip_text_add(&c->remark, "not calibrated: line %d of %s cannot be; %s", bad, path,
                       again);
  if (!named && strcmp(here->cpu, c->cpu) != 0)
    return ip_text_add(&c->remark, "not calibrated: %s is of another CPU (%s); %s", path,
                       c->cpu, again);
  c->measured = true;
  if (strcmp(here->build, c->build) != 0)
    return ip_text_add(&c->remark, "by another build of infoplane; %s anew", again);
  return PETSC_SUCCESS;
}

static PetscErrorCode use(const calibration *here, const char *path, bool named, char *text,
                          calibration *c)
{
  const int bad = parse(text, c);

  PetscCall(judge(here, path, named, bad, c));
  if (c->measured) return PETSC_SUCCESS;
  c->rates = ip_rates_default();
  return PETSC_SUCCESS;
}

static PetscErrorCode find(const char *host, calibration *c)
{
  const calibration here = *c;
  char *text = NULL;
  bool there = false;
  ip_text path = {0};

  PetscCall(path_of(host ? host : here.host, &path));

  PetscErrorCode code = read_text(path.text, &text, &there);

  if (!code && there) code = use(&here, path.text, host, text, c);
  if (!code && !there && host)
    code =
        ip_error_raise(IP_ERR_USAGE, __func__,
                       "--rates %s: there is no %s; on that host: infoplane plan --calibrate",
                       host, path.text);
  if (!code && !there)
    code = ip_text_add(
        &c->remark,
        "not calibrated: rates of no machine in particular, a guess within a factor "
        "of 3; infoplane plan --calibrate measures this one");
  ip_release(&text);
  ip_text_clear(&path);
  return code;
}

PetscErrorCode calibration_read(const char *host, calibration *c)
{
  calibration_begin(c);

  const PetscErrorCode code = find(host, c);

  if (code == (PetscErrorCode)IP_ERR_ENVIRONMENT && !host) { /* no HOME: nothing is kept */
    ip_error_clear();
    return ip_text_add(&c->remark, "not calibrated: no HOME and no XDG_CACHE_HOME");
  }
  return code;
}
