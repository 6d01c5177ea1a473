package io.hypercalld.api.journal;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.hypercalld.api.hypercall.HypercallCatalogue;
import io.hypercalld.api.hypercall.Operation;
import io.hypercalld.api.json.JsonWriter;
import io.hypercalld.api.machine.Journal;
import io.hypercalld.api.machine.MachineCommand;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.hypercall.Hypercall;
import io.hypercalld.iommu.platform.Platform;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * The lines of a journal. Immutable.
 *
 * <p>The first has the version of the format and the platform that the machine was booted on. One
 * line for each command follows, numbered from 1: {@code {"n":1,"caller":0,"call":"domctl",
 * "op":"pausedomain","args":..}}, {@code {"n":2,"command":"AdvanceClock","args":..}} or {@code
 * {"n":3,"resume":1}}. The last has their number and the digest of the state that they led to.
 */
final class JournalText {
  /** Of the lines; another one is another format. */
  static final int VERSION = 1;

  static final String FORMAT = "hypercalld-journal";

  private static final ObjectMapper JSON =
      new ObjectMapper().enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

  private static final Map<String, Class<?>> COMMANDS =
      RecordText.records(MachineCommand.class)
          .collect(Collectors.toUnmodifiableMap(Class::getSimpleName, Function.identity()));

  private final HypercallCatalogue catalogue;

  JournalText(HypercallCatalogue catalogue) {
    this.catalogue = catalogue;
  }

  static byte[] header(Platform platform) {
    return JsonWriter.write(
        out -> {
          out.beginObject();
          out.name("format").string(FORMAT);
          out.name("version").number(VERSION);
          RecordText.write(Platform.class, platform, out.name("platform"));
          out.endObject();
        });
  }

  /**
   * The platform that a first line names.
   *
   * @throws Malformed where it is none of this version
   */
  static Platform platform(String header) {
    JsonNode line = parse(header);
    if (!line.path("format").asText().equals(FORMAT)) {
      throw new Malformed("this is no journal: its first line does not say so");
    }
    if (line.path("version").asInt() != VERSION) {
      throw new Malformed(
          "this is a journal of version %s; only version %d can be read"
              .formatted(line.path("version"), VERSION));
    }
    return (Platform) RecordText.read(Platform.class, line.path("platform"));
  }

  byte[] line(long number, Journal.Entry entry) {
    return JsonWriter.write(
        out -> {
          out.beginObject();
          out.name("n").number(number);
          write(entry, out);
          out.endObject();
        });
  }

  private void write(Journal.Entry entry, JsonWriter out) {
    switch (entry) {
      case Journal.Called(DomainId caller, Hypercall arguments, boolean whole) -> {
        Operation<?> operation = catalogue.of(arguments);
        out.name("caller").number(caller.value());
        out.name("call").string(operation.call());
        out.name("op").string(operation.op());
        if (!whole) {
          out.name("preemptible").bool(true);
        }
        RecordText.write(operation.arguments(), arguments, out.name("args"));
      }
      case Journal.Resumed(long call) -> out.name("resume").number(call);
      case Journal.Executed(MachineCommand<?> command) -> {
        out.name("command").string(command.getClass().getSimpleName());
        RecordText.write(command.getClass(), command, out.name("args"));
      }
    }
  }

  static byte[] trailer(long commands, String digest) {
    return JsonWriter.write(
        out -> {
          out.beginObject();
          out.name("end").number(commands);
          out.name("digest").string(digest);
          out.endObject();
        });
  }

  /**
   * A line as JSON.
   *
   * @throws Malformed where it is none
   */
  static JsonNode parse(String line) {
    try {
      return JSON.readTree(line);
    } catch (JsonProcessingException e) {
      throw new Malformed("this is no line of JSON");
    }
  }

  /**
   * What a line has executed.
   *
   * @throws Malformed where that is nothing that can be
   */
  Journal.Entry entry(JsonNode line) {
    if (line.has("command")) {
      Class<?> type = COMMANDS.get(line.path("command").asText());
      if (type == null) {
        throw new Malformed("there is no command %s".formatted(line.path("command")));
      }
      return new Journal.Executed((MachineCommand<?>) RecordText.read(type, line.path("args")));
    }
    if (line.has("resume")) {
      return new Journal.Resumed((Long) RecordText.read(long.class, line.path("resume")));
    }
    String call = line.path("call").asText();
    String op = line.path("op").asText();
    Operation<?> operation =
        catalogue
            .find(call, op)
            .orElseThrow(() -> new Malformed("there is no hypercall %s.%s".formatted(call, op)));
    return new Journal.Called(
        (DomainId) RecordText.read(DomainId.class, line.path("caller")),
        (Hypercall) RecordText.read(operation.arguments(), line.path("args")),
        !line.path("preemptible").asBoolean());
  }
}
