package io.hypercalld.api;

import io.hypercalld.api.json.JsonWriter;
import java.nio.charset.StandardCharsets;

/** The one line on standard output. Immutable. */
final class Ready {
  private Ready() {}

  static String line(String url, long pid, String platform, long startupMillis) {
    byte[] line =
        JsonWriter.write(
            out -> {
              out.beginObject();
              out.name("event").string("ready");
              out.name("url").string(url);
              out.name("pid").number(pid);
              out.name("platform").string(platform);
              out.name("startupMs").number(startupMillis);
              out.endObject();
            });
    return new String(line, StandardCharsets.UTF_8) + "\n";
  }
}
