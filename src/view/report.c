/* The page of a results file: its data, what shows them, and one file of HTML that needs nothing else. */

#include "report.h"
#include <errno.h>
#include <fcntl.h>
#include <infoplane/view.h>
#include <infoplane_build.h>
#include <locale.h>
#include <report_page.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Bytes of a page at most; looks and runs that are never left out. */
enum { MOST_BYTES = 10000000, FEWEST_LOOKS = 40, FEWEST_RUNS = 8, UNLIMITED = 1 << 30 };

static const char generator[] = "<meta name=\"generator\" content=\"infoplane ";

/* ---- the page ------------------------------------------------------------------------------------------- */

static PetscErrorCode add_html(ip_text *page, const char *text)
{
  for (; *text; text++)
    if (strchr("<>&\"", *text))
      PetscCall(ip_text_add(page, "&#%d;", *text));
    else
      PetscCall(ip_text_add(page, "%c", *text));
  return PETSC_SUCCESS;
}

/* Nothing may be loaded, and no script or style runs but the two whose hashes stand here. */
static PetscErrorCode add_head(ip_text *page, const char *title)
{
  PetscCall(
      ip_text_add(page,
                  "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                  "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src "
                  "'none'; script-src '%s'; style-src '%s'; base-uri 'none'; form-action "
                  "'none'\">\n",
                  report_script_hash, report_style_hash));
  PetscCall(ip_text_add(
      page, "<meta name=\"viewport\" content=\"width=device-width\">\n%s%s (%s)\">\n",
      generator, IP_VERSION, IP_COMMIT));
  PetscCall(ip_text_add(page, "<title>"));
  PetscCall(add_html(page, title));
  return ip_text_add(page, "</title>\n<style>%.*s</style>\n</head>\n<body>\n",
                     (int)sizeof report_style, (const char *)report_style);
}

static PetscErrorCode make_page(const sweep *s, const findings *claims, report_limits limits,
                                ip_text *page)
{
  ip_text json = {0};
  PetscErrorCode code = report_data(s, claims, limits, &json);

  if (!code) code = add_head(page, s->path);
  if (!code)
    code = ip_text_add(page, "%.*s<script type=\"application/json\" id=\"data\">%s</script>\n",
                       (int)sizeof report_body, (const char *)report_body, json.text);
  if (!code)
    code = ip_text_add(page, "<script>%.*s</script>\n</body>\n</html>\n",
                       (int)sizeof report_script, (const char *)report_script);
  ip_text_clear(&json);
  return code;
}

static report_limits largest(const sweep *s)
{
  report_limits most = {2, 2};

  for (size_t i = 0; i < s->n_studies; i++)
    for (size_t g = 0; g < s->study[i].n; g++) {
      if (s->study[i].group[g].n_looks > most.looks) most.looks = s->study[i].group[g].n_looks;
      if (s->study[i].group[g].n > most.runs) most.runs = s->study[i].group[g].n;
    }
  return most;
}

/* Half the looks, then half the runs, until the page is small enough; a film needs looks, a band runs. */
static bool thin(report_limits *limits)
{
  if (limits->looks > FEWEST_LOOKS)
    limits->looks = limits->looks / 2 > FEWEST_LOOKS ? limits->looks / 2 : FEWEST_LOOKS;
  else if (limits->runs > FEWEST_RUNS)
    limits->runs = limits->runs / 2 > FEWEST_RUNS ? limits->runs / 2 : FEWEST_RUNS;
  else
    return false;
  return true;
}

static PetscErrorCode fit_page(const sweep *s, size_t most_bytes, ip_text *page,
                               report_limits *limits)
{
  findings claims = {0};
  PetscErrorCode code = report_claims(s, &claims);

  *limits = largest(s);
  if (!code) code = make_page(s, &claims, *limits, page);
  while (!code && page->length > most_bytes && thin(limits)) {
    ip_text_clear(page);
    code = make_page(s, &claims, *limits, page);
  }
  claims_clear(&claims);
  return code;
}

/* ---- the file ------------------------------------------------------------------------------------------- */

/* Only a page of ours may be replaced. */
static PetscErrorCode check_place(const char *path)
{
  char head[4096] = {0};
  const int fd = ip_file_open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);

  if (fd < 0 && errno == ENOENT) return PETSC_SUCCESS;
  const ssize_t n = fd < 0 ? -1 : read(fd, head, sizeof head - 1);

  if (fd >= 0) close(fd);
  IP_CHECK(n >= 0 && strstr(head, generator), IP_ERR_CREATE,
           "%s exists and is no page of infoplane: give another name with -o", path);
  return PETSC_SUCCESS;
}

static PetscErrorCode write_page(const char *path, const ip_text *page)
{
  ip_text partial = {0};
  PetscErrorCode code = ip_text_add(&partial, "%s.%ld.partial", path, (long)getpid());
  const int fd =
      code ? -1 : ip_file_open(partial.text, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW);

  if (!code && fd < 0)
    code =
        ip_error_raise(IP_ERR_CREATE, __func__, "%s cannot be made: %s", path, strerror(errno));
  if (!code) code = ip_file_write(fd, path, page->text, page->length, 0);
  if (!code) code = ip_file_sync(fd, path);
  if (fd >= 0) close(fd);
  if (!code) code = ip_file_publish(partial.text, path, true);
  if (code && fd >= 0) unlink(partial.text);
  ip_text_clear(&partial);
  return code;
}

PetscErrorCode report_file(const char *path, const char *to, size_t most_bytes, FILE *say)
{
  sweep *s = NULL;
  ip_text page = {0};
  report_limits limits;

  PetscCall(check_place(to));
  PetscCall(sweep_open(path, &s));
  const report_limits all = largest(s);
  PetscErrorCode code = fit_page(s, most_bytes, &page, &limits);

  sweep_close(&s);
  if (!code) code = write_page(to, &page);
  if (!code) {
    fprintf(say, " %s: %.1f MB, one page that needs no network\n", to,
            (double)page.length / 1e6);
    if (limits.looks < all.looks)
      fprintf(say, " it would be too large: %zu of up to %zu looks are kept\n", limits.looks,
              all.looks);
    if (limits.runs < all.runs)
      fprintf(say, " it would be too large: %zu of up to %zu networks of a setting are kept\n",
              limits.runs, all.runs);
  }
  ip_text_clear(&page);
  return code;
}

PetscErrorCode ip_view_report(const char *path, const char *page, FILE *say)
{
  const locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t)0);

  IP_CHECK(c != (locale_t)0, IP_ERR_INTERNAL, "no memory left for the C locale");
  const locale_t before = uselocale(c);
  const PetscErrorCode code = report_file(path, page, MOST_BYTES, say);

  uselocale(before);
  freelocale(c);
  return code;
}
