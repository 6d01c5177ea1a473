package io.hypercalld.api.openapi;

import java.util.List;
import java.util.Map;

/** What stands at the places of paths. Immutable. */
final class PathParameters {
  private static final String HEX_DIGIT = "[0-9a-fA-F]";
  private static final Map<String, Object> TEXT = Map.of("type", "string");
  private static final Map<String, Object> INDEX = Map.of("type", "integer", "minimum", 0);

  private static final Map<String, Place> PLACES =
      Map.ofEntries(
          Map.entry("d", new Place("Domain: its id or its name", TEXT)),
          Map.entry(
              "sbdf",
              new Place(
                  "PCI function, the segment may be left out",
                  Map.of(
                      "type",
                      "string",
                      "pattern",
                      "^(%1$s{4}:)?%1$s{2}:%1$s{2}\\.[0-7]$".formatted(HEX_DIGIT),
                      "examples",
                      List.of("0000:03:10.0")))),
          Map.entry(
              "bdf", new Place("Where the guest sees the emulated device, such as 00:03.0", TEXT)),
          Map.entry("machine", new Place("Name of the machine; default is the first one", TEXT)),
          Map.entry("n", new Place("Index of the remapping unit", INDEX)),
          Map.entry("hpet", new Place("Number of an HPET, as firmware has it", INDEX)),
          Map.entry("comparator", new Place("Comparator of the HPET", INDEX)),
          Map.entry("processor", new Place("Number of a processor of the machine", INDEX)),
          Map.entry("gsi", new Place("Number of the global system interrupt", INDEX)),
          Map.entry("keys", new Place("Keys of the console, such as VQ", TEXT)),
          Map.entry("driver", new Place("Kind of driver, such as blkback", TEXT)),
          Map.entry("v", new Place("Index of the vCPU", INDEX)),
          Map.entry("gfn", new Place("Guest frame number, such as 0x1a2b", TEXT)),
          Map.entry("mfn", new Place("Machine frame number, such as 0x1a2b", TEXT)),
          Map.entry("id", new Place("Id of the ioreq server", INDEX)),
          Map.entry("rule", new Place("Id of the fault rule", TEXT)),
          Map.entry("rid", new Place("Id of the request", TEXT)),
          Map.entry("number", new Place("Number of the preempted hypercall", INDEX)),
          Map.entry("name", new Place("Name of the snapshot", TEXT)),
          Map.entry("call", new Place("Hypercall, such as domctl", TEXT)),
          Map.entry("op", new Place("Its operation, such as assign_device", TEXT)),
          Map.entry("type", new Place("Last part of a problem's type", TEXT)),
          Map.entry("asset", new Place("Name of a file", TEXT)));

  private PathParameters() {}

  private record Place(String description, Map<String, Object> schema) {}

  /** The parameter at a place; one that nobody has described is any text. */
  static Map<String, Object> of(String name) {
    Place place = PLACES.getOrDefault(name, new Place("", TEXT));
    Described described =
        new Described()
            .with("name", name)
            .with("in", "path")
            .with("description", place.description)
            .with("required", true)
            .with("schema", place.schema);
    Examples.place(name).ifPresent(value -> described.with("example", value(place, value)));
    return described.done();
  }

  private static Object value(Place place, String text) {
    return place.schema.equals(INDEX) ? Integer.valueOf(text) : text;
  }
}
