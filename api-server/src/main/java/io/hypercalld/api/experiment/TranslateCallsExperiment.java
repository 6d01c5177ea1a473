package io.hypercalld.api.experiment;

import io.hypercalld.api.machine.MemoryPolicies;
import io.hypercalld.api.machine.RememberTranslations;
import io.hypercalld.api.machine.VirtualDma;
import io.hypercalld.core.bits.Word;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.iommu.pci.Sbdf;
import io.hypercalld.iommu.virtual.ShadowSync;
import io.hypercalld.iommu.virtual.VirtualDevices;
import io.hypercalld.iommu.virtual.VirtualUnitSettings;
import java.util.Optional;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;

/**
 * Has an emulated device read memory, with as many remembered translations as it may have, and
 * counts the calls that it makes. Confined to the thread that runs it.
 *
 * @see "documents/001, spec/documents.md S1-Q4"
 */
public final class TranslateCallsExperiment {
  private static final Sbdf DEVICE = new Sbdf(0, 0, 3, 0);
  private static final long MEMORY = 32L << 20;
  private static final long FIRST_IOVA = 0x1000_0000L;
  private static final long FIRST_GPA = 0x100_0000;
  private static final int DMA_BYTES = 64;
  private static final int PER_CENT = 100;
  private static final int PER_MILLE = 1000;

  private TranslateCallsExperiment() {}

  /**
   * Tries every number of entries with every locality.
   *
   * @throws io.hypercalld.core.errno.Refusal ENOMEM where the host has not enough memory
   */
  public static TranslateCallsAnswer run(TranslateCallsQuestion question) {
    return new TranslateCallsAnswer(
        question,
        question.entries().stream()
            .flatMap(
                entries ->
                    question.locality().stream()
                        .map(locality -> measure(question, entries, locality)))
            .toList());
  }

  private static TranslateCallsAnswer.Row measure(
      TranslateCallsQuestion question, int entries, int locality) {
    var unit =
        new VirtualUnitSettings(
            VirtualUnitSettings.USUAL_BASE, true, true, true, ShadowSync.STRICT);
    try (ScratchGuest guest = new ScratchGuest(MEMORY, Optional.of(unit), MemoryPolicies.usual())) {
      map(guest, question.pages());
      guest.machine().execute(new RememberTranslations(guest.guest().id(), DEVICE, entries));
      long done = work(guest, question, locality);
      VirtualDevices devices = guest.iommu().virtualDevices();
      return new TranslateCallsAnswer.Row(
          entries,
          locality,
          devices.calls(),
          Math.round((double) devices.calls() * PER_MILLE / question.dmas()),
          devices.hits(),
          done);
    }
  }

  private static void map(ScratchGuest guest, int pages) {
    long table = guest.table();
    for (long page = 0; page < pages; page++) {
      long offset = page << PageSize.SHIFT_4K;
      guest.map(table, FIRST_IOVA + offset, FIRST_GPA + offset);
    }
    guest.attach(DEVICE, table, 1);
    guest.prepare();
    guest.translate(true);
  }

  private static long work(ScratchGuest guest, TranslateCallsQuestion question, int locality) {
    RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(question.seed());
    long page = 0;
    long done = 0;
    for (int dma = 0; dma < question.dmas(); dma++) {
      if (random.nextInt(PER_CENT) >= locality) {
        page = random.nextInt(question.pages());
      }
      Word address = new Word(FIRST_IOVA + (page << PageSize.SHIFT_4K));
      VirtualDma request =
          new VirtualDma(guest.guest().id(), DEVICE, address, DMA_BYTES, Optional.empty());
      done += guest.machine().execute(request).done() ? 1 : 0;
    }
    return done;
  }
}
