// Judges openapi/asyncapi.json by AsyncAPI's own parser: every diagnostic is a failure.
const {readFileSync} = require('fs')
const {Parser} = require('@asyncapi/parser')

new Parser().parse(readFileSync(process.argv[2], 'utf8')).then(({document, diagnostics}) => {
  diagnostics.forEach(one => console.log(one.code, one.path.join('.'), one.message))
  console.log(document ? document.operations().all().length + ' operations' : 'not read')
  process.exit(document && diagnostics.length === 0 ? 0 : 1)
})
