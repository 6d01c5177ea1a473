package io.hypercalld.iommu.driver;

import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.core.memory.MachineMemory;
import io.hypercalld.core.memory.MemoryMap;
import io.hypercalld.core.memory.WordProgression;
import io.hypercalld.iommu.vtd.SecondStageEntry;
import java.util.List;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** How far like entries reach, after runs were written, beside what each entry says by itself. */
class ContiguityMarkersTest {
  private static final long TABLE = 0x5000;
  private static final long READ_WRITE = SecondStageEntry.READ_WRITE;
  private static final int ENTRIES = SecondStageEntry.ENTRIES;

  private final MachineMemory memory =
      new MachineMemory(MemoryMap.of(1L << 30, 1L << 30, List.of()));
  private final ContiguityMarkers markers = new ContiguityMarkers(memory);

  @AfterEach
  void close() {
    memory.close();
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2})
  void randomRuns_ofHolesAndLeaves_leaveTheLargestMarkersThatHold(int level) {
    RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(level);
    markers.clear(TABLE);
    for (int step = 0; step < 3000; step++) {
      int first = random.nextInt(ENTRIES);
      int count = 1 + random.nextInt(random.nextBoolean() ? 4 : ENTRIES - first);
      write(first, Math.min(count, ENTRIES - first), level, random.nextInt(8));

      for (int index = 0; index < ENTRIES; index++) {
        assertThat(word(index) >>> 52 & 15)
            .as("entry %d after step %d", index, step)
            .isEqualTo(marker(index, level));
      }
    }
  }

  /** Mostly leaves that a larger one could replace; some that are elsewhere, holes, and tables. */
  private void write(int first, int count, int level, int kind) {
    long step = 1L << SecondStageEntry.shift(level);
    long size = level == 1 ? 0 : SecondStageEntry.PS.mask();
    long target = kind == 0 ? 3 : first;
    boolean hole = kind == 1;
    boolean pointer = kind == 2 && level > 1;
    long leaf = target * step | size | READ_WRITE;
    WordProgression entries = hole ? new WordProgression(0, 0) : new WordProgression(leaf, step);
    int written = pointer ? 1 : count;
    if (level == 1 && kind > 5) {
      rewrite(first, count, entries);
      return;
    }
    if (level == 1 && !pointer) {
      markers.replace(TABLE, first, count, entries);
      return;
    }
    for (int i = 0; i < written; i++) {
      markers.write(TABLE, first + i, pointer ? READ_WRITE : entries.at(i), level);
    }
  }

  /** All at once, of which these are others than before. */
  private void rewrite(int first, int count, WordProgression entries) {
    long[] words = new long[ENTRIES];
    for (int index = 0; index < ENTRIES; index++) {
      boolean written = index >= first && index < first + count;
      words[index] = written ? entries.at(index - first) : ContiguityMarkers.without(word(index));
    }
    markers.rewrite(TABLE, words);
  }

  private long word(int index) {
    return memory.readWord(TABLE + index * 8L);
  }

  private long marker(int index, int level) {
    int marker = 0;
    while (marker < 9 && index % (2 << marker) == 0 && alike(index, 2 << marker, level)) {
      marker++;
    }
    return marker;
  }

  private boolean alike(int first, int count, int level) {
    long start = ContiguityMarkers.without(word(first));
    boolean hole = !SecondStageEntry.isPresent(start);
    long step = hole ? 0 : 1L << SecondStageEntry.shift(level);
    boolean fits =
        hole
            || (SecondStageEntry.isLeaf(start, level)
                && SecondStageEntry.index(SecondStageEntry.target(start), level) == first);
    for (int i = 1; fits && i < count; i++) {
      fits = ContiguityMarkers.without(word(first + i)) == start + i * step;
    }
    return fits;
  }
}
