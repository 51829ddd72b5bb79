"""A headless Chromium that a test drives, over WebDriver: no more of it than tests of the page need."""
import base64, json, shutil, socket, subprocess, time, urllib.error, urllib.request


def missing():
    """What is not there, or None."""
    for program in ("chromedriver", "chromium"):
        if not shutil.which(program):
            return f"needs {program} (Debian: chromium-driver)"
    return None


class Browser:
    def __init__(self, profile, width=1200, height=1000):
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            port = s.getsockname()[1]
        self.driver = subprocess.Popen(["chromedriver", f"--port={port}"], stdout=subprocess.DEVNULL,
                                       stderr=subprocess.DEVNULL)
        self.base, self.session = f"http://127.0.0.1:{port}", ""
        for _ in range(600):
            try:
                self.call("GET", "/status")
                break
            except OSError:
                time.sleep(0.1)
        # Root has no sandbox, and /dev/shm is small in containers.
        options = {"args": ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                            f"--window-size={width},{height}", f"--user-data-dir={profile}"]}
        made = self.call("POST", "/session", {"capabilities": {"alwaysMatch": {
            "goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}}})
        self.session = "/session/" + made["sessionId"]

    def call(self, method, path, body=None):
        request = urllib.request.Request(self.base + self.session + path, method=method,
                                         data=None if body is None else json.dumps(body).encode(),
                                         headers={"Content-Type": "application/json"})
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            return json.load(opener.open(request, timeout=120))["value"]
        except urllib.error.HTTPError as error:
            raise AssertionError(error.read().decode()[:2000]) from None

    def open(self, path):
        self.call("POST", "/url", {"url": path})

    def js(self, script, *words):
        return self.call("POST", "/execute/sync", {"script": script, "args": list(words)})

    def wait(self, script, seconds=120):
        end = time.time() + seconds
        while not self.js(script):
            assert time.time() < end, f"waited for: {script}"
            time.sleep(0.05)

    def devtools(self, command, **parameters):
        return self.call("POST", "/goog/cdp/execute", {"cmd": command, "params": parameters})

    def media(self, **features):
        self.devtools("Emulation.setEmulatedMedia",
                      features=[{"name": k.replace("_", "-"), "value": v} for k, v in features.items()])

    def size(self, width, height):
        self.devtools("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1,
                      mobile=False)

    def press(self, key):
        """A key by its WebDriver code, e.g. "\\ue014" (right)."""
        self.call("POST", "/actions", {"actions": [{"type": "key", "id": "keys", "actions": [
            {"type": "keyDown", "value": key}, {"type": "keyUp", "value": key}]}]})

    def click(self, x, y):
        """At a place in the window."""
        self.call("POST", "/actions", {"actions": [{"type": "pointer", "id": "mouse", "actions": [
            {"type": "pointerMove", "x": round(x), "y": round(y)}, {"type": "pointerDown", "button": 0},
            {"type": "pointerUp", "button": 0}]}]})

    def complaints(self):
        return [line["message"] for line in self.call("POST", "/se/log", {"type": "browser"})]

    def picture(self, path):
        with open(path, "wb") as f:
            f.write(base64.b64decode(self.call("GET", "/screenshot")))

    def close(self):
        try:
            self.call("DELETE", "")
        finally:
            self.driver.terminate()
            self.driver.wait()
