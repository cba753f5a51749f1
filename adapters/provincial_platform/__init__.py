"""Provincial government-service platform (省政务服务平台): codes the case, shows its result on every terminal."""
