package io.hypercalld.iommu.acpi;

import io.hypercalld.core.errno.MalformedInput;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Reads a DMAR table from bytes that may be anything. Never instantiated.
 *
 * @see "VT-d §8.1; xen/drivers/passthrough/vtd/dmar.c"
 */
/*
 * Three passes, each a plain loop. The header: signature, length, checksum. The structures one
 * after the other: each length is held against what is left before anything inside is read, and is
 * at least a structure header, so that the loop advances. Last the rules between structures.
 *
 * What Xen or the specification refuses is refused, because a hypervisor that follows them would
 * disable all units: better to say so than to boot a machine that they would not. What is merely
 * odd (reserved bits, order, unknown types) is accepted with a warning.
 */
public final class DmarParser {
  static final String SIGNATURE = "DMAR";
  static final int HEADER_BYTES = 48;
  static final int CHECKSUM_OFFSET = 9;
  static final int SCOPE_HEADER_BYTES = 6;

  private static final int ACPI_HEADER_BYTES = 36;
  private static final int STRUCTURE_HEADER_BYTES = 4;
  private static final int LENGTH_OFFSET = 4;
  private static final int REVISION_OFFSET = 8;
  private static final int WIDTH_OFFSET = 36;
  private static final int FLAGS_OFFSET = 37;
  private static final int RESERVED_OFFSET = 38;
  private static final int LEAST_WIDTH = 32;
  private static final int MOST_WIDTH = 57;

  /** A structure and where the table has it. */
  record Placed<S extends DmarStructure>(int offset, S structure) {}

  private final TableBytes table;
  private final int hostAddressWidth;
  private final List<String> warnings = new ArrayList<>();
  private final List<Placed<?>> structures = new ArrayList<>();
  private final Map<Integer, Integer> unknownTypes = new TreeMap<>();

  private DmarParser(TableBytes table) {
    this.table = table;
    this.hostAddressWidth = table.u8(WIDTH_OFFSET) + 1;
  }

  /**
   * The table in {@code bytes}.
   *
   * @throws MalformedInput where the bytes are no table, or one that contradicts itself
   */
  public static DmarTable parse(byte[] bytes) {
    byte[] copy = bytes.clone();
    DmarParser parser = new DmarParser(checkedHeader(copy));
    parser.checkWidth();
    parser.warnOfHeader(copy.length);
    parser.readStructures();
    DmarRules.check(parser.structures, parser.warnings);
    return parser.result();
  }

  private static TableBytes checkedHeader(byte[] bytes) {
    TableBytes file = new TableBytes(bytes);
    if (bytes.length >= LENGTH_OFFSET && !file.text(0, LENGTH_OFFSET).equals(SIGNATURE)) {
      throw MalformedInput.at(TableBytes.at(0), "the signature is not DMAR");
    }
    if (bytes.length < ACPI_HEADER_BYTES) {
      throw MalformedInput.at(
          TableBytes.at(0),
          "%d bytes are shorter than the %d-byte ACPI header",
          bytes.length,
          ACPI_HEADER_BYTES);
    }
    long length = Integer.toUnsignedLong(file.u32(LENGTH_OFFSET));
    if (length < HEADER_BYTES) {
      throw MalformedInput.at(
          TableBytes.at(LENGTH_OFFSET),
          "the table's length %d is shorter than the %d-byte DMAR header",
          length,
          HEADER_BYTES);
    }
    if (length > bytes.length) {
      throw MalformedInput.at(
          TableBytes.at(LENGTH_OFFSET),
          "the table's length is %d bytes, but only %d are there",
          length,
          bytes.length);
    }
    int sum = byteSum(bytes, (int) length);
    if (sum != 0) {
      throw MalformedInput.at(
          TableBytes.at(CHECKSUM_OFFSET), "the checksum is wrong: the bytes sum to 0x%02x", sum);
    }
    return file.part(0, (int) length);
  }

  /** The sum of the first {@code length} bytes, modulo 256. */
  static int byteSum(byte[] bytes, int length) {
    int sum = 0;
    for (int at = 0; at < length; at++) {
      sum += bytes[at];
    }
    return sum & 0xff;
  }

  private void checkWidth() {
    if (hostAddressWidth < LEAST_WIDTH || hostAddressWidth > MOST_WIDTH) {
      throw MalformedInput.at(
          TableBytes.at(WIDTH_OFFSET),
          "a host address width of %d bits is not between %d and %d",
          hostAddressWidth,
          LEAST_WIDTH,
          MOST_WIDTH);
    }
  }

  private void warnOfHeader(int fileLength) {
    if (fileLength > table.end()) {
      warnings.add(
          "%s: %d bytes after the table are ignored"
              .formatted(TableBytes.at(table.end()), fileLength - table.end()));
    }
    if (table.u8(REVISION_OFFSET) == 0) {
      warnings.add(TableBytes.at(REVISION_OFFSET) + ": the revision is 0");
    }
    if (!table.isZero(RESERVED_OFFSET, HEADER_BYTES)) {
      warnings.add(TableBytes.at(RESERVED_OFFSET) + ": reserved bytes are not zero");
    }
  }

  private void readStructures() {
    StructureParser parser = new StructureParser(hostAddressWidth, warnings);
    int at = HEADER_BYTES;
    int highestType = 0;
    while (at < table.end()) {
      TableBytes body = structureAt(at);
      int type = body.u16(at);
      if (type < highestType && StructureParser.isKnown(type)) {
        warnings.add(TableBytes.at(at) + ": structures are not in ascending order of type");
      }
      highestType = StructureParser.isKnown(type) ? type : highestType;
      read(parser, type, body);
      at = body.end();
    }
    unknownTypes.forEach(
        (type, count) ->
            warnings.add("%d structures of unknown type %d are skipped".formatted(count, type)));
  }

  private TableBytes structureAt(int at) {
    int left = table.end() - at;
    if (left < STRUCTURE_HEADER_BYTES) {
      throw MalformedInput.at(TableBytes.at(at), "%d stray bytes after the last structure", left);
    }
    int length = table.u16(at + 2);
    if (length < STRUCTURE_HEADER_BYTES) {
      throw MalformedInput.at(
          TableBytes.at(at),
          "structure of type %d has length %d, shorter than its own header",
          table.u16(at),
          length);
    }
    if (length > left) {
      throw MalformedInput.at(
          TableBytes.at(at),
          "structure of type %d and length %d runs past the end of the table at 0x%x",
          table.u16(at),
          length,
          table.end());
    }
    return table.part(at, at + length);
  }

  private void read(StructureParser parser, int type, TableBytes body) {
    if (StructureParser.isKnown(type)) {
      parser
          .parse(type, body)
          .ifPresent(structure -> structures.add(new Placed<>(body.start(), structure)));
    } else {
      // Counted, not listed: a table may hold very many of them.
      unknownTypes.merge(type, 1, Integer::sum);
    }
  }

  private DmarTable result() {
    List<DmarStructure> found = new ArrayList<>();
    structures.forEach(placed -> found.add(placed.structure()));
    return new DmarTable(
        new AcpiHeader(
            table.u8(REVISION_OFFSET),
            table.text(10, 6),
            table.text(16, 8),
            table.u32(24),
            table.text(28, 4),
            table.u32(32)),
        hostAddressWidth,
        table.u8(FLAGS_OFFSET),
        found,
        warnings);
  }
}
