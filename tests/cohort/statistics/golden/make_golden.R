# The statistics of the data sets beside this file, by R. Run in this folder:
#   Rscript make_golden.R
# Debian 12: r-base-core 4.2.2, r-cran-proc 1.18.0, r-cran-rstatix 0.7.2, r-cran-psych 2.2.9,
# r-cran-brglm2 0.9, r-cran-effectsize 0.8.3, r-cran-jsonlite. Not needed to run the tests.
suppressMessages({
  library(pROC); library(rstatix); library(psych); library(brglm2); library(effectsize); library(jsonlite)
})

datasets <- list()
set.seed(20260101)
make <- function(n, digits) {
  t <- rnorm(n, -1.5, 1.3)
  a <- 150 + 22 * t + rnorm(n, 0, 35)
  data.frame(
    t = round(t, 1), a = round(a, digits), b = round(250 + 0.8 * (a - 150) + rnorm(n, 0, 25), digits),
    age = round(rnorm(n, 71, 11)), female = rbinom(n, 1, 0.8), bmi = round(rnorm(n, 28, 6), 1)
  )
}
datasets$plain <- make(120, 2)
datasets$ties <- make(90, -1)
datasets$tiny <- data.frame(
  t = c(0.3, -0.4, -1.7, -2.0, -1.2, -2.9, -3.4), a = c(201, 188, 150, 171, 160, 155, 120),
  b = c(300, 310, 255, 290, 260, 265, 240), age = c(60, 71, 66, 74, 80, 69, 77),
  female = c(1, 0, 1, 1, 0, 1, 1), bmi = c(25, 31, 28, 22, 27, 30, 24)
)
datasets$separated <- data.frame(
  t = c(0.5, 0.1, -0.3, -0.6, 0.9, -0.8, -1.5, -2.0, -1.8, -2.7, -3.0, -2.6),
  a = c(210, 205, 199, 190, 220, 186, 150, 141, 148, 120, 111, 125),
  b = c(300, 290, 270, 281, 310, 255, 262, 250, 240, 235, 220, 251),
  age = c(61, 70, 66, 58, 63, 72, 75, 71, 69, 80, 84, 77),
  female = c(1, 1, 0, 1, 1, 0, 1, 1, 1, 1, 0, 1), bmi = c(25, 31, 28, 22, 27, 30, 24, 26, 29, 23, 21, 27)
)
datasets$constant <- transform(make(40, 1), b = 200)
uneven <- make(150, 1)
uneven$t <- round(pmax(uneven$t, -2.6), 1)
datasets$uneven <- uneven
write_json(datasets, "datasets.json", dataframe = "columns", digits = NA)

group_of <- function(t) factor(ifelse(t >= -1, "healthy", ifelse(t <= -2.5, "osteoporosis", "osteopenia")),
                               levels = c("healthy", "osteopenia", "osteoporosis"))
varies <- function(x) length(unique(x)) > 1
fisher <- function(r, n, k, rank) {
  se <- sqrt((if (rank) 1 + r^2 / 2 else 1) / (n - 3 - k))
  tanh(atanh(r) + c(-1, 1) * qnorm(0.975) * se)
}
partial <- function(x, y, z, rank) {
  if (rank) { x <- rank(x); y <- rank(y); z <- apply(z, 2, rank) }
  r <- cor(resid(lm(x ~ z)), resid(lm(y ~ z))); df <- length(x) - 2 - ncol(z)
  list(r = r, ci = fisher(r, length(x), ncol(z), rank), p = 2 * pt(-abs(r) * sqrt(df / (1 - r^2)), df))
}
correlations <- function(d, column) {
  x <- d[[column]]
  if (!varies(x)) return(NULL)
  p <- cor.test(x, d$t); s <- suppressWarnings(cor.test(x, d$t, method = "spearman", exact = FALSE))
  z <- as.matrix(d[, c("age", "female", "bmi")])
  list(
    pearson = list(r = p$estimate[[1]], ci = as.numeric(p$conf.int), p = p$p.value),
    spearman = list(r = s$estimate[[1]], ci = fisher(s$estimate[[1]], nrow(d), 0, TRUE),
                    p = { df <- nrow(d) - 2; r <- s$estimate[[1]]; 2 * pt(-abs(r) * sqrt(df / (1 - r^2)), df) },
                    p_cor_test = s$p.value),
    partial_pearson = partial(x, d$t, z, FALSE), partial_spearman = partial(x, d$t, z, TRUE)
  )
}
pivot <- function(below, from, to) sapply(c(0.975, 0.025), function(q) {
  if (below(from) <= q) from else uniroot(function(x) below(x) - q, c(from, to), tol = 1e-12, maxiter = 10000)$root
})
groups <- function(d, column) {
  x <- d[[column]]; g <- group_of(d$t); data <- data.frame(x = x, g = g)
  if (!varies(x)) return(NULL)
  w <- oneway.test(x ~ g, data); k <- kruskal.test(x ~ g, data)
  gh <- as.data.frame(games_howell_test(data, x ~ g, detailed = TRUE))
  # games_howell_test rounds its P values to three digits: the range of base R stands beside it
  gh$p_full <- mapply(function(t, df) ptukey(abs(t) * sqrt(2), nlevels(droplevels(g)), df, lower.tail = FALSE), gh$statistic, gh$df)
  dunn <- as.data.frame(dunn_test(data, x ~ g, p.adjust.method = "holm", detailed = TRUE))
  f <- w$statistic[[1]]; df <- w$parameter[[1]]; rest <- w$parameter[[2]]
  ncp <- pivot(function(n) pf(f, df, rest, ncp = n), 0, 4 * f * df + 100)
  pairs <- combn(levels(g), 2)
  hedges <- apply(pairs, 2, function(p) {
    one <- x[g == p[1]]; two <- x[g == p[2]]
    m <- length(one); n <- length(two); v <- m + n - 2; scale <- sqrt(1 / m + 1 / n)
    h <- hedges_g(one, two, ci = NULL)$Hedges_g
    t <- t.test(one, two, var.equal = TRUE)$statistic[[1]]
    j <- exp(lgamma(v / 2) - log(sqrt(v / 2)) - lgamma((v - 1) / 2))
    limits <- pivot(function(n) suppressWarnings(pt(t, v, ncp = n)), t - 10 - abs(t), t + 10 + abs(t))
    r <- suppressWarnings(roc(rep(0:1, c(m, n)), c(one, two), direction = ">", quiet = TRUE))
    list(first = p[1], second = p[2], g = h, ci = limits * scale * j, delta = 2 * as.numeric(auc(r)) - 1,
         delta_ci = 2 * as.numeric(suppressWarnings(ci.auc(r)))[c(1, 3)] - 1)
  }, simplify = FALSE)
  list(welch = list(f = f, df = df, rest = rest, p = w$p.value),
       kruskal = list(h = k$statistic[[1]], p = k$p.value),
       omega = list(value = F_to_omega2(f, df, rest, ci = NULL)[[1]], ci = ncp / (ncp + df + rest + 1)),
       games_howell = data.frame(first = gh$group1, second = gh$group2, difference = -gh$estimate, low = -gh$conf.high,
                                 high = -gh$conf.low, df = gh$df, p = gh$p_full),
       dunn = data.frame(first = dunn$group1, second = dunn$group2, z = -dunn$statistic, p = dunn$p, p_holm = dunn$p.adj),
       pairs = hedges)
}
curves <- function(d, limit) {
  y <- as.integer(d$t < limit)
  if (!varies(y)) return(NULL)
  one <- function(x) {
    r <- roc(y, x, direction = ">", quiet = TRUE); i <- suppressWarnings(ci.auc(r))
    top <- coords(r, "best", best.method = "youden", ret = c("threshold", "sensitivity", "specificity"), transpose = FALSE)
    top <- top[which.max(top$threshold), ]
    list(auc = as.numeric(auc(r)), ci = as.numeric(i)[c(1, 3)], cutoff = top$threshold,
         sensitivity = top$sensitivity, specificity = top$specificity)
  }
  test <- suppressWarnings(roc.test(roc(y, d$a, direction = ">", quiet = TRUE), roc(y, d$b, direction = ">", quiet = TRUE),
                                    method = "delong", paired = TRUE))
  list(a = one(d$a), b = one(d$b), z = test$statistic[[1]], p = test$p.value)
}
model <- function(d, columns) {
  y <- as.integer(d$t < -1)
  form <- reformulate(columns, "y"); data <- cbind(d, y = y)
  ml <- suppressWarnings(glm(form, binomial, data, control = glm.control(epsilon = 1e-14, maxit = 100)))
  firth <- suppressWarnings(glm(form, binomial, data, method = "brglmFit", type = "AS_mean", epsilon = 1e-12, maxit = 10000))
  rows <- function(f) list(estimate = unname(coef(f)), se = unname(sqrt(diag(vcov(f)))))
  list(ml = rows(ml), firth = rows(firth), log_likelihood = as.numeric(logLik(ml)), converged = ml$converged,
       brier = mean((y - fitted(ml))^2))
}
results <- lapply(datasets, function(d) list(
  correlations = list(a = correlations(d, "a"), b = correlations(d, "b")),
  groups = list(a = groups(d, "a"), b = groups(d, "b")),
  low_bmd = curves(d, -1), osteoporosis = curves(d, -2.499)
))
results$plain$model <- model(datasets$plain, c("a", "age", "female", "bmi"))
results$ties$model <- model(datasets$ties, c("a", "age", "female", "bmi"))
results$uneven$model <- model(datasets$uneven, "a")
results$separated$model <- model(datasets$separated, "a")
results$separated$model$ml <- NULL

shapes <- list(
  shrout = matrix(c(9,2,5,8, 6,1,3,2, 8,4,6,8, 7,1,2,6, 10,5,6,9, 6,2,4,7), 6, byrow = TRUE),
  shifted = { x <- c(120.5, 133.2, 98.7, 160.1, 141.9, 110.4, 155.5); cbind(x + c(.5, -.7, 1.1, .2, -.4, .9, -1.3), x + 6 + c(-.8, .3, .6, -1, .4, .2, .7)) },
  unrelated = matrix(c(1, 4, 2, 3, 5, 3, 3, 5, 2, 1), 5)
)
icc <- lapply(shapes, function(m) {
  r <- suppressWarnings(psych::ICC(m, lmer = FALSE))$results
  list(values = m, icc = data.frame(form = c("ICC(1)", "ICC(A,1)", "ICC(C,1)"), value = r$ICC[1:3],
                                    low = r[["lower bound"]][1:3], high = r[["upper bound"]][1:3]))
})
bland <- lapply(shapes, function(m) {
  d <- m[, 1] - m[, 2]; n <- length(d); s <- sd(d); q <- qt(0.975, n - 1); z <- qnorm(0.975)
  half <- q * s * sqrt(1 / n + z^2 / (2 * (n - 1))); line <- summary(lm(d ~ rowMeans(m[, 1:2])))$coefficients
  list(bias = mean(d), bias_ci = as.numeric(t.test(d)$conf.int), lower = mean(d) - z * s, upper = mean(d) + z * s, half = half,
       slope = line[2, 1], slope_p = line[2, 4])
})
wilson <- do.call(rbind, lapply(list(c(0, 10), c(10, 10), c(1, 1), c(7, 9), c(81, 263), c(15, 148)), function(v) {
  ci <- suppressWarnings(prop.test(v[1], v[2], correct = FALSE))$conf.int
  data.frame(x = v[1], n = v[2], low = ci[1], high = ci[2])
}))
fisher_tables <- list(c(1, 2, 3, 5, 4, 1), c(0, 3, 7, 1, 2, 9), c(12, 1, 3, 2, 30, 4))
fisher_p <- sapply(fisher_tables, function(v) fisher.test(matrix(v, 3, byrow = TRUE))$p.value)
write_json(list(cohorts = results, icc = icc, bland = bland, wilson = wilson,
                fisher = list(tables = fisher_tables, p = fisher_p)),
           "results.json", auto_unbox = TRUE, digits = NA, dataframe = "rows", na = "null", pretty = FALSE)
