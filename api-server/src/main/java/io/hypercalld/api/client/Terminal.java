package io.hypercalld.api.client;

import java.io.InputStream;
import java.io.PrintStream;
import java.util.function.Consumer;

/**
 * What a command reads and writes.
 *
 * @param out takes data, and nothing else
 * @param err takes messages
 * @param atExit has something done when the program is told to end
 */
public record Terminal(
    InputStream in, PrintStream out, PrintStream err, Consumer<Runnable> atExit) {
  void print(String text) {
    out.print(text);
    out.flush();
  }

  void say(String line) {
    err.println("hypercalld: " + line);
  }
}
