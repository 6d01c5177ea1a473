package io.hypercalld.iommu.acpi;

import java.nio.charset.StandardCharsets;
import java.util.List;

/** Writes a table as bytes: the inverse of {@link DmarParser}. Never instantiated. */
final class DmarEncoder {
  private static final int STRUCTURE_HEADER_BYTES = 4;

  private DmarEncoder() {}

  static byte[] encode(DmarTable table) {
    TableWriter body = new TableWriter();
    table.structures().forEach(structure -> append(body, structure));
    AcpiHeader header = table.header();
    TableWriter whole =
        new TableWriter()
            .text(DmarParser.SIGNATURE, 4)
            .u32(DmarParser.HEADER_BYTES + body.size())
            .u8(header.revision())
            .u8(0)
            .text(header.oemId(), 6)
            .text(header.oemTableId(), 8)
            .u32(header.oemRevision())
            .text(header.creatorId(), 4)
            .u32(header.creatorRevision())
            .u8(table.hostAddressWidth() - 1)
            .u8(table.flags())
            .zeros(10)
            .bytes(body.toBytes());
    return withChecksum(whole.toBytes());
  }

  private static byte[] withChecksum(byte[] table) {
    table[DmarParser.CHECKSUM_OFFSET] = (byte) -DmarParser.byteSum(table, table.length);
    return table;
  }

  private static void append(TableWriter to, DmarStructure structure) {
    byte[] body = body(structure).toBytes();
    to.u16(structure.type()).u16(STRUCTURE_HEADER_BYTES + body.length).bytes(body);
  }

  private static TableWriter body(DmarStructure structure) {
    TableWriter out = new TableWriter();
    return switch (structure) {
      case Drhd drhd ->
          scopes(
              out.flag(drhd.includeAll())
                  .u8(drhd.windowOrder())
                  .u16(drhd.segment())
                  .u64(drhd.base()),
              drhd.scopes());
      case Rmrr rmrr ->
          scopes(
              out.zeros(2).u16(rmrr.segment()).u64(rmrr.base()).u64(rmrr.limit()), rmrr.scopes());
      case Atsr atsr ->
          scopes(out.flag(atsr.allPorts()).zeros(1).u16(atsr.segment()), atsr.scopes());
      case Rhsa rhsa -> out.zeros(4).u64(rhsa.base()).u32(rhsa.proximityDomain());
      case Andd andd ->
          out.zeros(3)
              .u8(andd.deviceNumber())
              .bytes(andd.name().getBytes(StandardCharsets.ISO_8859_1))
              .zeros(1);
      case Satc satc ->
          scopes(out.flag(satc.atcRequired()).zeros(1).u16(satc.segment()), satc.scopes());
      case Sidp sidp -> scopes(out.zeros(2).u16(sidp.segment()), sidp.scopes());
    };
  }

  private static TableWriter scopes(TableWriter out, List<DeviceScope> scopes) {
    for (DeviceScope scope : scopes) {
      out.u8(scope.type().number())
          .u8(DmarParser.SCOPE_HEADER_BYTES + 2 * scope.path().size())
          .u16(scope.flags())
          .u8(scope.enumerationId())
          .u8(scope.startBus());
      scope.path().forEach(step -> out.u8(step.device()).u8(step.function()));
    }
    return out;
  }
}
