package io.hypercalld.iommu.acpi;

import io.hypercalld.core.errno.MalformedInput;
import io.hypercalld.iommu.acpi.DeviceScope.Step;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/** Reads the device scopes that fill the rest of a structure. Never instantiated. */
final class ScopeParser {
  private static final int LEAST_BYTES = DmarParser.SCOPE_HEADER_BYTES + 2;
  private static final int LENGTH = 1;
  private static final int FLAGS = 2;
  private static final int ENUMERATION_ID = 4;
  private static final int START_BUS = 5;
  private static final int MOST_DEVICES = 0x1f;
  private static final int MOST_FUNCTIONS = 0x7;

  /** More bridges on top of each other than any machine has. */
  private static final int MOST_STEPS = 32;

  private ScopeParser() {}

  /**
   * The scopes in {@code bytes}, which they fill exactly.
   *
   * @param warnings where to say which scopes were left out
   */
  static List<DeviceScope> parse(TableBytes bytes, List<String> warnings) {
    List<DeviceScope> scopes = new ArrayList<>();
    int at = bytes.start();
    while (at < bytes.end()) {
      TableBytes scope = scopeAt(bytes, at);
      read(scope, warnings).ifPresent(scopes::add);
      at = scope.end();
    }
    return scopes;
  }

  private static TableBytes scopeAt(TableBytes bytes, int at) {
    int left = bytes.end() - at;
    if (left < DmarParser.SCOPE_HEADER_BYTES) {
      throw MalformedInput.at(TableBytes.at(at), "%d stray bytes after the last scope", left);
    }
    int length = bytes.u8(at + LENGTH);
    if (length < LEAST_BYTES) {
      throw MalformedInput.at(
          TableBytes.at(at), "device scope of length %d is shorter than %d", length, LEAST_BYTES);
    }
    if (length > left) {
      throw MalformedInput.at(
          TableBytes.at(at),
          "device scope of length %d runs past the end of its structure at 0x%x",
          length,
          bytes.end());
    }
    if ((length - DmarParser.SCOPE_HEADER_BYTES) % 2 != 0) {
      throw MalformedInput.at(
          TableBytes.at(at),
          "device scope has an odd number of path bytes: %d",
          length - DmarParser.SCOPE_HEADER_BYTES);
    }
    return bytes.part(at, at + length);
  }

  private static Optional<DeviceScope> read(TableBytes scope, List<String> warnings) {
    int at = scope.start();
    List<Step> path = path(scope);
    int number = scope.u8(at);
    Optional<DeviceScope.Type> type =
        Arrays.stream(DeviceScope.Type.values())
            .filter(known -> known.number() == number)
            .findFirst();
    if (type.isEmpty()) {
      warnings.add(
          "%s: device scope of unknown type %d is ignored".formatted(TableBytes.at(at), number));
      return Optional.empty();
    }
    if (path.size() > MOST_STEPS) {
      warnings.add(
          "%s: device scope with a path of %d steps is ignored"
              .formatted(TableBytes.at(at), path.size()));
      return Optional.empty();
    }
    return Optional.of(
        new DeviceScope(
            type.get(),
            scope.u16(at + FLAGS),
            scope.u8(at + ENUMERATION_ID),
            scope.u8(at + START_BUS),
            path));
  }

  private static List<Step> path(TableBytes scope) {
    List<Step> path = new ArrayList<>();
    for (int at = scope.start() + DmarParser.SCOPE_HEADER_BYTES; at < scope.end(); at += 2) {
      int device = scope.u8(at);
      int function = scope.u8(at + 1);
      if (device > MOST_DEVICES || function > MOST_FUNCTIONS) {
        throw MalformedInput.at(
            TableBytes.at(at), "no PCI device has the number %02x.%x", device, function);
      }
      path.add(new Step(device, function));
    }
    return path;
  }
}
