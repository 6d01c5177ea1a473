package io.hypercalld.api.acceptance;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.reflect.Modifier;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The suites together have one row for each behaviour of spec/vtd.md 7, and no number twice. */
class EveryNumberedBehaviourTest {
  private static final int BEHAVIOURS = 182;
  private static final Pattern NUMBER = Pattern.compile("\\bB(\\d+)");

  @Test
  void suites_together_haveEveryNumberOnce() throws Exception {
    List<Integer> numbers =
        suites().stream()
            .flatMap(NumberedBehaviours::rows)
            .flatMap(row -> numbersOf(row.name()))
            .sorted()
            .toList();

    assertThat(numbers)
        .containsExactlyElementsOf(IntStream.rangeClosed(1, BEHAVIOURS).boxed().toList());
  }

  private static Stream<Integer> numbersOf(String row) {
    Matcher matcher = NUMBER.matcher(row);
    return matcher
        .results()
        .map(MatchResult::group)
        .map(each -> Integer.valueOf(each.substring(1)));
  }

  private static List<NumberedBehaviours<?>> suites() throws IOException, URISyntaxException {
    Class<?> here = EveryNumberedBehaviourTest.class;
    Path classes = Path.of(requireNonNull(here.getResource(".")).toURI());
    try (Stream<Path> files = Files.list(classes)) {
      return files
          .map(file -> file.getFileName().toString())
          .filter(name -> name.endsWith("Test.class"))
          .map(name -> named(here.getPackageName() + "." + name.replace(".class", "")))
          .filter(NumberedBehaviours.class::isAssignableFrom)
          .filter(type -> !Modifier.isAbstract(type.getModifiers()))
          .<NumberedBehaviours<?>>map(EveryNumberedBehaviourTest::suite)
          .toList();
    }
  }

  private static Class<?> named(String name) {
    try {
      return Class.forName(name);
    } catch (ClassNotFoundException e) {
      throw new IllegalStateException(e);
    }
  }

  private static NumberedBehaviours<?> suite(Class<?> type) {
    try {
      return (NumberedBehaviours<?>) type.getDeclaredConstructor().newInstance();
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException(e);
    }
  }
}
