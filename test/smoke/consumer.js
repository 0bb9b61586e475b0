// Runs in a consumer of the packed package, below a line that defines `load` and `require`.

const [packageName, ...entries] = process.argv.slice(2)

const fail = (message) => {
  console.error(message)
  process.exitCode = 1
}

const hasLoadedClient = () =>
  Object.keys(require.cache).some((file) => /[\\/]node_modules[\\/]iovalkey[\\/]/.test(file))

const isClosed = async (subpath) => {
  try {
    await load(`${packageName}/${subpath}`)
    return false
  } catch (error) {
    return error.code === "ERR_PACKAGE_PATH_NOT_EXPORTED"
  }
}

const main = async () => {
  const modules = {}
  for (const entry of entries) {
    modules[entry] = await load(entry)
    if (entry === packageName && Object.keys(modules[entry]).length === 0) {
      fail("the front door exports nothing")
    }
    if (hasLoadedClient()) {
      fail(`loading ${entry} loaded iovalkey`)
      break
    }
  }

  // The check above has to be able to fail.
  await load("iovalkey")
  if (!hasLoadedClient()) {
    fail("a loaded iovalkey would go unnoticed")
  }

  // What the front door gives as a namespace and what the entry of that name gives are the same things, not doubles.
  for (const [name, namespace] of Object.entries(modules[packageName] ?? {})) {
    const entry = modules[`${packageName}/${name}`]
    for (const [key, value] of Object.entries(entry ?? {})) {
      if (namespace?.[key] !== undefined && namespace[key] !== value) {
        fail(`${name}.${key} exists twice`)
      }
    }
  }

  for (const subpath of ["internal/flights", "internal/flights.js", "prisma/extension", "dist/index.js"]) {
    if (!(await isClosed(subpath))) {
      fail(`${packageName}/${subpath} is open`)
    }
  }
}

main().catch((error) => fail(error))
