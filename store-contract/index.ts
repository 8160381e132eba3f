export { type StoreContractOptions, type StoreRule, storeContract } from './store-contract.js'
