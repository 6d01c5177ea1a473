package io.hypercalld.api.acceptance;

import static io.hypercalld.api.acceptance.BareUnit.DOMAIN;
import static io.hypercalld.api.acceptance.BareUnit.X;
import static io.hypercalld.api.acceptance.NumberedBehaviours.row;
import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.iommu.pci.SourceId;
import io.hypercalld.iommu.vtd.AddressWidth;
import io.hypercalld.iommu.vtd.ContextCommand;
import io.hypercalld.iommu.vtd.ContextEntry;
import io.hypercalld.iommu.vtd.EventControl;
import io.hypercalld.iommu.vtd.GlobalCommand;
import io.hypercalld.iommu.vtd.InterruptTableAddress;
import io.hypercalld.iommu.vtd.InvalidationDescriptor;
import io.hypercalld.iommu.vtd.InvalidationQueueFields;
import io.hypercalld.iommu.vtd.IotlbCommand;
import io.hypercalld.iommu.vtd.ProtectedMemoryFields;
import io.hypercalld.iommu.vtd.Register;
import io.hypercalld.iommu.vtd.RootTableAddress;
import io.hypercalld.iommu.vtd.SecondStageEntry;
import java.util.stream.Stream;

/** Registers and commands of the model unit, over HTTP: spec/vtd.md 7.2. */
final class UnitRegistersAcceptanceTest implements NumberedBehaviours<BareUnit> {
  private static final long IOVA = 0x5000;
  private static final SourceId NEIGHBOUR = new SourceId(0x0387);

  @Override
  public BareUnit start() {
    return BareUnit.model();
  }

  @Override
  public void begin(BareUnit it) {
    it.powerOn();
  }

  @Override
  public Stream<Row<BareUnit>> rows() {
    return Stream.of(reset(), commands(), protectedMemory(), invalidation()).flatMap(rows -> rows);
  }

  private static Stream<Row<BareUnit>> reset() {
    return Stream.of(
        row(
            "B01 after a reset everything is off, and events are masked",
            it -> {
              for (Register zero :
                  new Register[] {
                    Register.GSTS,
                    Register.FSTS,
                    Register.RTADDR,
                    Register.IQA,
                    Register.IRTA,
                    Register.GCMD,
                    Register.IQH,
                    Register.IQT,
                    Register.PMEN
                  }) {
                assertThat(it.read(zero)).as(zero.name()).isZero();
              }
              assertThat(it.read(Register.FECTL)).isEqualTo(0x8000_0000L);
              assertThat(it.read(Register.IECTL)).isEqualTo(0x8000_0000L);
              assertThat(it.read(Register.IECTL)).isEqualTo(0x8000_0000L);
              assertThat(it.read(Register.VER)).isEqualTo(0x10);
            }),
        row(
            "B15 the capabilities cannot be written",
            it -> {
              it.write(Register.CAP, 0);
              it.write(Register.ECAP, -1);

              assertThat(it.read(Register.CAP)).isEqualTo(ModelUnit.CAPABILITIES.cap());
              assertThat(it.read(Register.ECAP)).isEqualTo(ModelUnit.CAPABILITIES.ecap());
            }),
        row(
            "1.1 what is not implemented reads as zero, whatever is written",
            it -> {
              it.write64(0x58, -1);
              it.write32(0x118, -1);

              assertThat(it.read64(0x58)).isZero();
              assertThat(it.read32(0x118)).isZero();
            }),
        row(
            "1.1 halves of a 64-bit register are written one by one",
            it -> {
              it.write32(Register.RTADDR.offset(), 0x1234_5fff);
              it.write32(Register.RTADDR.offset() + 4, 0x12);

              assertThat(it.read(Register.RTADDR)).isEqualTo(0x12_1234_5c00L);
            }),
        row(
            "1.1 a command register acts on the half that holds the command",
            it -> {
              it.write32(Register.CCMD.offset() + 4, ContextCommand.global() >>> 32);

              assertThat(it.read(Register.CCMD) >>> 59).isEqualTo(0b0_0101);
            }));
  }

  private static Stream<Row<BareUnit>> commands() {
    return Stream.of(
        row(
            "B02 a root pointer that is not set is not used",
            it -> {
              it.translate();
              long frame = mapped(it);
              long other = it.newPage();

              it.write(Register.RTADDR, RootTableAddress.legacy(other));
              invalidate(it);

              assertThat(it.dmaRead(IOVA, 4).landedAt(frame)).isTrue();
              assertThat(it.read(Register.RTADDR)).isEqualTo(other);
            }),
        row(
            "B03 a root pointer that is set leaves cached contexts until they are flushed",
            it -> {
              assertThat(it.isSet(Register.GSTS, GlobalCommand.SRTP)).isFalse();
              it.translate();
              long before = mapped(it);
              it.map(IOVA + 0x1000, before);
              assertThat(it.dmaRead(IOVA, 4).landedAt(before)).isTrue();
              long root = it.newPage();
              long after = it.newPage();
              it.context(root, X, tableOf(it, after, DOMAIN));
              it.context(root, NEIGHBOUR, tableOf(it, after, DOMAIN + 1));

              it.setRootPointer(root);

              assertThat(it.isSet(Register.GSTS, GlobalCommand.SRTP)).isTrue();
              assertThat(it.dmaRead(IOVA + 0x1000, 4).landedAt(before)).isTrue();
              assertThat(it.dmaRead(NEIGHBOUR, IOVA, 4).landedAt(after)).isTrue();
              it.write(Register.CCMD, ContextCommand.global());
              assertThat(it.dmaRead(IOVA, 4).landedAt(before)).as("in the IOTLB").isTrue();
              it.write(Register.IOTLB, IotlbCommand.global());
              assertThat(it.dmaRead(IOVA, 4).landedAt(after)).isTrue();
              assertThat(it.dmaRead(IOVA + 0x1000, 4).fault()).isEqualTo(0x6);
            }),
        row(
            "B04 SRTP written as zero means nothing",
            it -> {
              it.setRootPointer(it.rootTable());

              it.write(Register.GCMD, 0);

              assertThat(it.isSet(Register.GSTS, GlobalCommand.SRTP)).isTrue();
            }),
        row(
            "B05 status written back as a command latches again and changes nothing",
            it -> {
              it.context(X, it.entry());
              long frame = mapped(it);
              it.setRootPointer(it.rootTable());
              it.write(Register.IRTA, InterruptTableAddress.table(it.newPage(), 8, false));
              it.command(GlobalCommand.SIRTP, true);
              long status = it.read(Register.GSTS);
              assertThat(status).isEqualTo(GlobalCommand.SRTP.mask() | GlobalCommand.SIRTP.mask());

              it.write(Register.GCMD, GlobalCommand.TE.set(status));

              assertThat(it.read(Register.GSTS)).isEqualTo(GlobalCommand.TE.set(status));
              assertThat(it.dmaRead(IOVA, 4).landedAt(frame)).isTrue();
              it.write(Register.RTADDR, RootTableAddress.legacy(it.newPage()));
              it.write(Register.GCMD, it.read(Register.GSTS));
              invalidate(it);
              assertThat(it.dmaRead(IOVA, 4).fault()).as("what RTADDR says now").isEqualTo(0x1);
            }),
        row(
            "B06 persistent bits follow the write",
            it -> {
              it.translate();
              it.write(Register.IQA, InvalidationQueueFields.ring(it.newPage(), 0));
              it.command(GlobalCommand.QIE, true);
              it.write(Register.IRTA, InterruptTableAddress.table(it.newPage(), 8, false));
              it.command(GlobalCommand.SIRTP, true);
              it.command(GlobalCommand.IRE, true);
              long on =
                  GlobalCommand.TE.mask() | GlobalCommand.QIE.mask() | GlobalCommand.IRE.mask();
              assertThat(it.read(Register.GSTS) & on).isEqualTo(on);

              it.write(Register.GCMD, 0);

              assertThat(it.read(Register.GSTS) & on).isZero();
            }),
        row(
            "B07 without translation DMA goes where it says",
            it -> {
              long frame = it.newPage();
              it.poke(frame, 0x1122_3344L);

              assertThat(it.dmaRead(frame, 4).landedAt(frame)).isTrue();
              assertThat(it.read(Register.FSTS)).isZero();
            }));
  }

  private static Stream<Row<BareUnit>> protectedMemory() {
    return Stream.of(
        row(
            "B08 a protected region is closed to devices, translation or not",
            it -> {
              protect(it, 0x100_0000L, 0x1ff_ffffL);

              assertThat(it.isSet(Register.PMEN, ProtectedMemoryFields.PRS)).isTrue();
              assertThat(it.dmaRead(0x100_0000L, 4).end()).isEqualTo("protected");
              assertThat(it.dmaWrite(0x1ff_fffcL, 1).end()).isEqualTo("protected");
              assertThat(it.dmaRead(0x200_0000L, 4).done()).isTrue();
              assertThat(it.dmaRead(0xff_fffcL, 4).done()).isTrue();
              assertThat(it.read(Register.FSTS)).isZero();
            }),
        row(
            "B09 a region's bounds cannot move under the protection",
            it -> {
              protect(it, 0x4000_0000L, 0x401f_ffffL);

              it.write(Register.PLMBASE, 0);

              assertThat(it.read(Register.PLMBASE)).isEqualTo(0x4000_0000L);
              it.write(Register.PMEN, 0);
              assertThat(it.read(Register.PMEN)).isZero();
              it.write(Register.PLMBASE, 0x20_0000L);
              assertThat(it.read(Register.PLMBASE)).isEqualTo(0x20_0000L);
            }),
        row(
            "1.8 what is read back tells the granule, and base and limit of one make one",
            it -> {
              it.write(Register.PLMBASE, 0xffff_ffffL);
              long granule = Long.lowestOneBit(it.read(Register.PLMBASE));
              assertThat(granule).isEqualTo(2L << 20);

              protect(it, 0x4040_0000L, 0x4040_0000L);

              assertThat(it.dmaRead(0x405f_fffcL, 4).end()).isEqualTo("protected");
              assertThat(it.dmaRead(0x4060_0000L, 4).done()).isTrue();
            }),
        row(
            "1.8 a limit below the base protects nothing",
            it -> {
              protect(it, 0x4040_0000L, 0x4010_0000L);

              assertThat(it.dmaRead(0x4040_0000L, 4).done()).isTrue();
            }),
        row(
            "1.8 the high region works above 4 GiB",
            it -> {
              it.write(Register.PHMBASE, 0x1_0000_0000L);
              it.write(Register.PHMLIMIT, 0x1_001f_ffffL);
              it.write(Register.PMEN, ProtectedMemoryFields.EPM.mask());

              assertThat(it.dmaRead(0x1_0010_0000L, 4).end()).isEqualTo("protected");
              assertThat(it.dmaRead(0x1_0020_0000L, 4).done()).isTrue();
            }));
  }

  private static Stream<Row<BareUnit>> invalidation() {
    return Stream.of(
        row(
            "B11 a context command without a granularity does nothing",
            it -> {
              it.translate();
              mapped(it);
              it.dmaRead(IOVA, 4);

              it.write(Register.CCMD, ContextCommand.ICC.mask());

              assertThat(it.read(Register.CCMD) >>> 59).isZero();
              assertThat(it.listing("context-cache")).hasSize(1);
            }),
        row(
            "B12 a range beyond MAMV is refused",
            it -> {
              it.translate();
              mapped(it);
              it.dmaRead(IOVA, 4);

              it.write(Register.IVA, IotlbCommand.address(0, 19, false));
              it.write(Register.IOTLB, IotlbCommand.pages(DOMAIN));

              long command = it.read(Register.IOTLB);
              assertThat(IotlbCommand.IVT.isSet(command)).isFalse();
              assertThat(IotlbCommand.IAIG.get(command)).isZero();
              assertThat(it.listing("iotlb")).hasSize(1);
            }),
        row(
            "1.6 a command answers with what it did",
            it -> {
              it.write(Register.IVA, IotlbCommand.address(IOVA, 0, false));
              it.write(Register.IOTLB, IotlbCommand.pages(DOMAIN));
              assertThat(IotlbCommand.IAIG.get(it.read(Register.IOTLB))).isEqualTo(3);
              it.write(Register.IOTLB, IotlbCommand.domain(DOMAIN));
              assertThat(IotlbCommand.IAIG.get(it.read(Register.IOTLB))).isEqualTo(2);
              it.write(Register.CCMD, ContextCommand.device(DOMAIN, X, 0));
              long command = it.read(Register.CCMD);
              assertThat(ContextCommand.CAIG.get(command)).isEqualTo(3);
              assertThat(ContextCommand.SID.get(command)).isZero();
              assertThat(it.read(Register.IVA)).isZero();
            }),
        row(
            "B16 a new ring starts at its first descriptor",
            it -> {
              it.write(Register.IQT, 0x40);
              assertThat(it.read(Register.IQT)).isEqualTo(0x40);

              it.write(Register.IQA, InvalidationQueueFields.ring(it.newPage(), 0));

              assertThat(it.read(Register.IQH)).isZero();
              assertThat(it.read(Register.IQT)).isZero();
            }),
        row(
            "B17 the head is zero once the queue is off",
            it -> {
              UnitQueue queue = UnitQueue.of(it);
              queue.submit(InvalidationDescriptor.allContexts());
              assertThat(it.read(Register.IQH)).isEqualTo(0x10);

              it.command(GlobalCommand.QIE, false);

              assertThat(it.read(Register.IQH)).isZero();
            }),
        row(
            "1.7 the upper halves of message addresses are there with extended interrupts",
            it -> {
              it.write(Register.FEUADDR, 0xffff_ffffL);

              assertThat(it.read(Register.FEUADDR)).isEqualTo(0xffff_ffffL);
              assertThat(it.isSet(Register.FECTL, EventControl.IM)).isTrue();
            }));
  }

  private static long mapped(BareUnit it) {
    long frame = it.newPage();
    it.map(IOVA, frame);
    return frame;
  }

  /** An entry that leads to a table with one page in it. */
  private static ContextEntry tableOf(BareUnit it, long frame, int domainId) {
    long table = it.newPage();
    it.poke(it.slot(table, 4, IOVA, 1), frame | SecondStageEntry.READ_WRITE);
    return ContextEntry.translating(table, AddressWidth.BITS_48, domainId);
  }

  private static void invalidate(BareUnit it) {
    it.write(Register.CCMD, ContextCommand.global());
    it.write(Register.IOTLB, IotlbCommand.global());
  }

  private static void protect(BareUnit it, long base, long limit) {
    it.write(Register.PLMBASE, base);
    it.write(Register.PLMLIMIT, limit);
    it.write(Register.PMEN, ProtectedMemoryFields.EPM.mask());
  }
}
