package io.hypercalld.api.journal;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.JsonNode;
import io.hypercalld.api.json.InvalidBody;
import io.hypercalld.api.machine.Machine;
import io.hypercalld.core.errno.Refusal;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.PushbackInputStream;
import java.io.UncheckedIOException;
import java.util.Optional;
import java.util.Set;
import java.util.zip.GZIPInputStream;

/**
 * A journal that is executed again while it is read, on a machine of its own. Confined to the
 * thread that reads it.
 */
public final class JournalReplay {
  private static final int GZIP = 0x1f;

  private JournalReplay() {}

  /**
   * Where a journal leads.
   *
   * @param machine nobody else's yet
   * @param commands executed
   */
  public record Replayed(Machine machine, long commands) {}

  /**
   * Executes a journal.
   *
   * @param journal lines of JSON, perhaps compressed by gzip
   * @throws InvalidBody where it is none of this version, is cut off, or does not lead to the state
   *     that it says
   */
  public static Replayed run(InputStream journal) {
    long number = 0;
    try (BufferedReader lines = open(journal)) {
      Machine machine = new Machine(JournalText.platform(read(lines)));
      try {
        machine.hypervisor().notices().listen(Set.of());
        JournalText text = new JournalText(machine.catalogue());
        String written = read(lines);
        JsonNode line = JournalText.parse(written);
        while (!line.has("end")) {
          number++;
          if (line.path("n").asLong() != number) {
            throw new Malformed("command %d is missing".formatted(number));
          }
          text.entry(line).replay(machine);
          machine.journal().weigh(written.length());
          written = read(lines);
          line = JournalText.parse(written);
        }
        requireEnd(line, machine, number);
        // Rules that struck then have nothing to say about what is asked next.
        machine.faultRules().tell(Optional.empty());
        return new Replayed(machine, number);
      } catch (RuntimeException e) {
        machine.close();
        throw e;
      }
    } catch (Malformed e) {
      throw InvalidBody.at("", "line %d: %s", number + 1, e.why());
    } catch (Refusal e) {
      throw InvalidBody.at("", "line %d cannot be executed: %s", number + 1, e.reason());
    } catch (IOException e) {
      throw InvalidBody.at("", "the journal cannot be read: it is damaged");
    } catch (UncheckedIOException e) {
      throw InvalidBody.at("", "the journal cannot be read: it is damaged");
    }
  }

  private static void requireEnd(JsonNode line, Machine machine, long commands) {
    if (line.path("end").asLong() != commands) {
      throw new Malformed(
          "%s commands are said to be there, and %d are".formatted(line.path("end"), commands));
    }
    String digest = machine.digest();
    if (!line.path("digest").asText().equals(digest)) {
      throw new Malformed(
          "the commands lead to digest %s, not %s".formatted(digest, line.path("digest").asText()));
    }
  }

  private static BufferedReader open(InputStream journal) throws IOException {
    PushbackInputStream bytes = new PushbackInputStream(journal);
    int first = bytes.read();
    if (first >= 0) {
      bytes.unread(first);
    }
    InputStream plain = first == GZIP ? new GZIPInputStream(bytes) : bytes;
    return new BufferedReader(new InputStreamReader(plain, UTF_8));
  }

  private static String read(BufferedReader lines) throws IOException {
    String line = lines.readLine();
    if (line == null) {
      throw new Malformed("the journal ends before its last line");
    }
    return line;
  }
}
